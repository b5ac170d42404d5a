import type { ContactKind, Language } from './contact-detail.ts'

/** A text has `((gaps))` as GOV.UK Notify writes them, so that it can be pasted into a template there. */
type Text = { subject?: string; body: string }

/**
 * What is sent, by its name: of what kind, and its words. Never a word of any letter. What goes by SMS keeps to the letters of GSM 03.38: with
 * one circumflex or curly apostrophe, an SMS holds 70 of them in place of 160.
 */
export const messageTexts = {
  'confirm-email': {
    kind: 'email',
    en: {
      subject: 'Your code is ((code))',
      body: `Somebody gave this email address as theirs at ((service)). If it was you, enter this code on the page that asked for it:

((code))

Or open this page, and confirm there:

((link))

The code and the page work for 15 minutes. We will never ask you to tell anybody the code.

If it was not you, you need do nothing. On the page you can also tell us so.`,
    },
    cy: {
      subject: 'Eich cod yw ((code))',
      body: `Rhoddodd rhywun y cyfeiriad e-bost hwn i ((service)) fel eu cyfeiriad nhw. Os mai chi wnaeth hynny, rhowch y cod hwn ar y dudalen a ofynnodd amdano:

((code))

Neu agorwch y dudalen hon a chadarnhau yno:

((link))

Mae’r cod a’r dudalen yn gweithio am 15 munud. Fyddwn ni byth yn gofyn i chi ddweud y cod wrth neb.

Os nad chi wnaeth hynny, nid oes angen i chi wneud dim. Gallwch hefyd roi gwybod i ni ar y dudalen.`,
    },
  },
  'confirm-mobile': {
    kind: 'mobile',
    en: { body: '((code)) is your code for ((service)). It works for 15 minutes. Do not tell it to anybody.' },
    cy: { body: "((code)) yw eich cod ar gyfer ((service)). Mae'n gweithio am 15 munud. Cadwch y cod yn gyfrinachol." },
  },
} as const satisfies Record<string, { kind: ContactKind } & Record<Language, Text>>

export type Template = keyof typeof messageTexts
export const templates = Object.keys(messageTexts) as Template[]

/** The text with its gaps filled in. Throws where one is left over: nobody is sent half a text. */
export function fillIn(template: Template, language: Language, values: Readonly<Record<string, string>>): Required<Text> {
  const { subject = '', body }: Text = messageTexts[template][language]
  const fill = (text: string) =>
    text.replaceAll(/\(\((\w+)\)\)/g, (_gap, name: string) => {
      const value = values[name]
      if (value === undefined) throw new Error(`the text ${template} has a gap that nothing fills: ${name}`)
      return value
    })
  return { subject: fill(subject), body: fill(body) }
}

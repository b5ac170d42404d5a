import createMarkdown, { type Token } from 'markdown-it'
import { bodyLengthMax, type Content, subjectLengthMax } from './message.ts'

/**
 * A letter with gaps, which a mailing fills for each of its recipients. A gap is written ((first name)), as GOV.UK Notify writes it; how its
 * name is written makes no difference in capitals, spaces, hyphens and underscores.
 */
export type Template = {
  name: string
  category: string
  replyAllowed: boolean
  /** Helpers of the recipient do not see the letter. */
  recipientOnly: boolean
  /** English first. */
  content: TemplateContent[]
}
export type TemplateContent = Required<Content>

export const templateNameMax = 100
const placeholderNameMax = 64
const placeholder = /\(\(([^()]+)\)\)/g

/** Columns of every file, which no placeholder can be called by. */
export const ownColumns = ['identifier scheme', 'identifier', 'reference'] as const

/** By which a column and a placeholder are known to be the same. */
export function columnKey(name: string): string {
  return name
    .normalize('NFC')
    .toLowerCase()
    .replaceAll(/[\s_-]+/gu, '')
}

/** The names of a template's placeholders, each once and as it is written first, in the order of the letter. */
export function placeholdersOf(content: readonly TemplateContent[]): string[] {
  const names = new Map<string, string>()
  for (const { subject, body } of content)
    for (const [, name] of `${subject}\n${body}`.matchAll(placeholder))
      if (!names.has(columnKey(name!))) names.set(columnKey(name!), name!.trim())
  return [...names.values()]
}

/**
 * A placeholder that cannot be filled. `optional`: shown to some people only. `own-column`: called as a column that every file has.
 * `misplaced`: in code, or in the address of a link.
 */
export type WrongPlaceholder =
  | { code: 'optional' | 'several-lines' | 'own-column' | 'misplaced' | 'backslash'; name: string }
  | { code: 'too-long'; name: string; max: number }
  | { code: 'nameless' }

/** What is wrong with the words of a template in one language, each once. */
export function whatIsWrong({ subject, body }: Pick<TemplateContent, 'subject' | 'body'>): {
  subject: WrongPlaceholder[]
  body: WrongPlaceholder[]
} {
  return {
    subject: eachOnce(namesIn(subject).flatMap(wrongName)),
    body: eachOnce([...namesIn(body).flatMap(wrongName), ...misplaced(body)]),
  }
}

const eachOnce = (wrong: readonly WrongPlaceholder[]) => [...new Map(wrong.map((one) => [JSON.stringify(one), one])).values()]

const namesIn = (text: string) => [...text.matchAll(placeholder)].map(([, name]) => name!)

function wrongName(written: string): WrongPlaceholder[] {
  const name = written.trim()
  if (name.includes('??')) return [{ code: 'optional', name }]
  if (columnKey(name) === '') return [{ code: 'nameless' }]
  if (written.length > placeholderNameMax) return [{ code: 'too-long', name, max: placeholderNameMax }]
  if (/[\p{Cc}\u2028\u2029]/u.test(written)) return [{ code: 'several-lines', name }]
  if (ownColumns.some((own) => columnKey(own) === columnKey(name))) return [{ code: 'own-column', name }]
  return []
}

const markdown = createMarkdown({ html: false, linkify: false, typographer: false }).disable(['image'])

/**
 * A value can be kept from being Markdown only where Markdown stands: not in code, and not in the address of a link, which would lead wherever
 * the value says.
 */
function misplaced(body: string): WrongPlaceholder[] {
  const names = namesIn(body)
  const mark = (place: number) => `placeholder${'x'.repeat(place + 1)}y`
  let count = 0
  const marked = body.replaceAll(placeholder, () => mark(count++))
  const inText = textOf(markdown.parse(marked, {}))
  const outside = names.filter((_, place) => !inText.includes(mark(place)))
  const afterBackslash = [...body.matchAll(/\\\(\(([^()]+)\)\)/g)].map(([, name]) => name!)
  return [
    ...outside.map((name) => ({ code: 'misplaced', name: name.trim() }) as const),
    ...afterBackslash.map((name) => ({ code: 'backslash', name: name.trim() }) as const),
  ]
}

function textOf(tokens: readonly Token[]): string {
  return tokens.map(({ type, content, children }) => (children ? textOf(children) : type === 'text' ? content : ' ')).join('')
}

/** The values of a row, by `columnKey`. */
export type Values = ReadonlyMap<string, string>

/** A value as a letter says it: on one line, without space around it. Empty where there is nothing to be seen. */
export function toValue(cell: string): string {
  return cell.replaceAll(/[\s\p{Cc}\u2028\u2029]+/gu, ' ').trim()
}

/** The letter that a template and the values of a row make. A value is text, whatever it says: never Markdown, and never another placeholder. */
export function fillTemplate(content: readonly TemplateContent[], values: Values): TemplateContent[] {
  const said = (name: string) => toValue(values.get(columnKey(name)) ?? '')
  return content.map(({ language, subject, body }) => ({
    language,
    subject: subject.replaceAll(placeholder, (_, name: string) => said(name)),
    body: body.replaceAll(placeholder, (written: string, name: string, at: number) =>
      escapeMarkdown(said(name), body[at + written.length]),
    ),
  }))
}

/**
 * One line of text so written that Markdown shows it as it is, wherever among words it stands. `next` is what follows it: a number before a full
 * stop would begin a list. A backslash and a bar are entities, as the bar of a table would take a backslash before it for its own.
 */
export function escapeMarkdown(text: string, next = ''): string {
  if (/^\d{1,9}$/.test(text) && /[.)]/.test(next)) return entity(text[0]!) + text.slice(1)
  const special = /[\\|`*_[\]()<>~@#]|&(?=[#\w]|$)|:(?=\/\/)|^[+\-=]|(?<=^\d{1,9})\.(?= |$)/g
  return text.replaceAll(special, (one) => (one === '\\' || one === '|' ? entity(one) : `\\${one}`))
}

const entity = (character: string) => `&#${character.charCodeAt(0)};`

/** `max`: of characters. */
export type TooLong = { code: 'subject-too-long' | 'letter-too-long'; max: number }

/** What of a filled letter is longer than a letter may be. */
export function tooLong(content: readonly TemplateContent[]): TooLong | undefined {
  if (content.some(({ subject }) => subject.length > subjectLengthMax)) return { code: 'subject-too-long', max: subjectLengthMax }
  if (content.some(({ body }) => body.length > bodyLengthMax)) return { code: 'letter-too-long', max: bodyLengthMax }
  return undefined
}

import type { Config } from '../config.ts'
import type { Channel } from './channel.ts'
import type { ContactKind, Language } from './contact-detail.ts'
import { type Template, templates } from './message-texts.ts'
import { notifyChannel } from './notify.ts'
import { standInTemplateId } from './notify-stand-in.ts'
import { smtpChannel } from './smtp.ts'

/** By which channel each kind goes out. A kind that has none is not offered to people. */
export type Channels = Partial<Record<ContactKind, Channel>>

/** Throws, in a sentence, where a template is missing. */
export function openChannels({ alerts: { notify, smtp } }: Config): Channels {
  const byNotify = notify && notifyChannel({ ...notify, templateIds: idsOf(notify.templates) })
  const bySmtp = smtp && smtpChannel(smtp)
  const email = bySmtp ?? byNotify
  return { ...(email ? { email } : {}), ...(byNotify ? { mobile: byNotify } : {}) }
}

function idsOf(named: Readonly<Record<string, string>> | undefined): Record<Template, Record<Language, string>> {
  const idOf = (template: Template, language: Language) => {
    if (named === undefined) return standInTemplateId(template, language)
    const id = named[`${template}.${language}`]
    if (id === undefined) throw new Error(`NOTIFY_TEMPLATES is wrong: it does not say which template is ${template}.${language}.`)
    return id
  }
  const entries = templates.map((template) => [template, { en: idOf(template, 'en'), cy: idOf(template, 'cy') }] as const)
  return Object.fromEntries(entries) as Record<Template, Record<Language, string>>
}

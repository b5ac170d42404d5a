import { type Content, type Forwarded, subjectLengthMax } from './message.ts'

const answerPrefix = 'Answer: '
const forwardPrefix = 'Forwarded: '

/** An answer to an answer is still one answer. */
export function subjectOfAnswer(subject: string): string {
  return begun(answerPrefix, subject)
}

export function forwardedSubject(subject: string): string {
  return begun(forwardPrefix, subject)
}

function begun(prefix: string, subject: string): string {
  return (subject.startsWith(prefix) ? subject : `${prefix}${subject}`).slice(0, subjectLengthMax).toWellFormed()
}

type HandedOn = { by: string; comment: string }

const inLondon = (language: string) =>
  new Intl.DateTimeFormat(`${language}-GB`, { timeZone: 'Europe/London', day: 'numeric', month: 'long', year: 'numeric' })
const days = { en: inLondon('en'), cy: inLondon('cy') }

/** Says in the language of a text where it came from; in English where it is neither English nor Welsh. */
const origins = {
  en: ({ senderName, serviceName, availableAt }: Forwarded, by: string) =>
    `Forwarded by ${name(by)}. First sent by ${name(senderName)} (${name(serviceName)}) on ${days.en.format(new Date(availableAt))}.`,
  cy: ({ senderName, serviceName, availableAt }: Forwarded, by: string) =>
    `Anfonwyd ymlaen gan ${name(by)}. Anfonwyd yn gyntaf gan ${name(senderName)} (${name(serviceName)}) ar ${days.cy.format(new Date(availableAt))}.`,
}

/** The comment, where the letter came from, and the letter as it was, in each of its languages. */
export function forwardedContent(content: readonly Content[], forwarded: Forwarded, { by, comment }: HandedOn): Content[] {
  return content.map(({ language, subject, body }) => {
    const origin = (language === 'cy' ? origins.cy : origins.en)(forwarded, by)
    const parts = [...(comment.trim() === '' ? [] : [comment.trim()]), `---\n\n**${origin}**`, body]
    return { language, subject: forwardedSubject(subject ?? forwarded.subject), body: parts.join('\n\n') }
  })
}

/** A name is shown as it is, whatever Markdown would make of it. */
function name(text: string): string {
  return text.replace(/[\\`*_{}[\]<>()#+\-.!|~&]/g, '\\$&')
}

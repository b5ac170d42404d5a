import { bodyLengthMax, subjectLengthMax } from '../../delivery/message.ts'
import {
  columnKey,
  fillTemplate,
  placeholdersOf,
  type Template,
  type TemplateContent,
  templateNameMax,
  type WrongPlaceholder,
  whatIsWrong,
} from '../../delivery/template.ts'
import { Problem } from '../../problems.ts'
import { readReference, toText } from '../form.ts'
import { languageName } from '../letter-view.ts'
import { renderMarkdown } from '../markdown.ts'
import type { FieldError } from '../page.ts'
import type { Translate } from '../words.ts'
import type { Posted } from './posted-form.ts'

/** One language of a template, as its fields hold it. */
type Words = { subject: string; text: string }

/** A template as the form holds it: as it was typed. */
export type TemplateDraft = {
  id: string
  /** The version that was changed; 0 of a new one. */
  version: number
  service: string
  name: string
  category: string
  mayAnswer: boolean
  recipientOnly: boolean
  /** English, Welsh, and another one. */
  en: Words
  cy: Words
  other: Words & { language: string }
  /** What the preview shows for each placeholder, by the key of its column. Not kept. */
  examples: Record<string, string>
}

export function blankTemplate(id: string): TemplateDraft {
  const words = { subject: '', text: '' }
  const choices = { service: '', category: 'general', mayAnswer: true, recipientOnly: false }
  return { id, version: 0, name: '', ...choices, en: words, cy: words, other: { ...words, language: '' }, examples: {} }
}

export function draftOf({
  id,
  version,
  name,
  category,
  replyAllowed,
  recipientOnly,
  content,
}: Template & { id: string; version: number }): TemplateDraft {
  const other = content.find(({ language }) => language !== 'en' && language !== 'cy')
  const words = (found: TemplateContent | undefined): Words => ({ subject: found?.subject ?? '', text: found?.body ?? '' })
  const of = (code: string) => words(content.find(({ language }) => language === code))
  return {
    ...blankTemplate(id),
    version,
    name,
    category,
    mayAnswer: replyAllowed,
    recipientOnly,
    en: of('en'),
    cy: of('cy'),
    other: { ...words(other), language: other?.language ?? '' },
  }
}

export function readTemplateDraft({ line, text, names }: Posted): TemplateDraft {
  const id = readReference(new Map([['reference', line('reference')]]))
  const version = Number(line('version'))
  if (!Number.isInteger(version) || version < 0 || version > 1_000_000_000) throw new Problem('form-expired')
  const words = (code: string): Words => ({ subject: line(`subject-${code}`), text: toText(text(`text-${code}`)) })
  const examples = names().filter((name) => name.startsWith('example:'))
  return {
    id,
    version,
    service: line('service'),
    name: line('name'),
    category: line('category') || 'general',
    mayAnswer: line('mayAnswer') !== '',
    recipientOnly: line('recipientOnly') !== '',
    en: words('en'),
    cy: words('cy'),
    other: { ...words('other'), language: line('language-other').toLowerCase() },
    examples: Object.fromEntries(examples.map((name) => [name.slice('example:'.length), line(name)])),
  }
}

/** English first; a language of which nothing is filled in is left out. */
export function contentOf({ en, cy, other }: TemplateDraft): TemplateContent[] {
  const all = [
    { language: 'en', ...en },
    { language: 'cy', ...cy },
    { ...other, language: other.language },
  ]
  return all
    .filter(({ language, subject, text }) => language === 'en' || subject !== '' || text.trim() !== '')
    .map(({ language, subject, text }) => ({ language, subject, body: text }))
}

export function templateOf(draft: TemplateDraft): Template {
  const { name, category, mayAnswer, recipientOnly } = draft
  return { name, category, replyAllowed: mayAnswer, recipientOnly, content: contentOf(draft) }
}

/** What is wrong, in the order of the form. */
export function checkTemplate(draft: TemplateDraft, t: Translate): FieldError[] {
  const { name, en, cy, other } = draft
  const errors: FieldError[] = []
  if (name === '') errors.push({ field: 'name', text: t('staff-templates:form.name-missing') })
  if (name.length > templateNameMax)
    errors.push({ field: 'name', text: t('staff-templates:form.name-too-long', { max: templateNameMax }) })
  errors.push(
    ...checkWords('en', en, true, t),
    ...checkWords('cy', cy, false, t),
    ...checkWords('other', other, other.language !== '', t),
  )
  const hasOther = other.subject !== '' || other.text.trim() !== ''
  if (hasOther && !/^[a-z]{2}$/.test(other.language))
    errors.push({ field: 'language-other', text: t('staff-templates:form.language-not-code') })
  if (other.language === 'en' || other.language === 'cy')
    errors.push({ field: 'language-other', text: t('staff-templates:form.language-above') })
  return errors
}

function checkWords(code: string, { subject, text }: Words, isNeeded: boolean, t: Translate): FieldError[] {
  const hasText = text.trim() !== ''
  if (!isNeeded && subject === '' && !hasText) return []
  const wrong = whatIsWrong({ subject, body: text })
  const inWords = ({ code, ...values }: WrongPlaceholder) => t(`staff-templates:wrong.${code}`, values)
  const inSubject = [
    ...(subject === '' ? [t('form:subject-missing')] : []),
    ...(subject.length > subjectLengthMax ? [t('staff-templates:form.subject-too-long', { max: subjectLengthMax })] : []),
    ...wrong.subject.map(inWords),
  ]
  const inText = [
    ...(hasText ? [] : [t('staff-templates:form.text-missing')]),
    ...(text.length > bodyLengthMax
      ? [t('staff-templates:form.text-too-long', { max: bodyLengthMax.toLocaleString('en-GB') })]
      : []),
    ...wrong.body.map(inWords),
  ]
  return [
    ...(inSubject.length > 0 ? [{ field: `subject-${code}`, text: inSubject.join(' ') }] : []),
    ...(inText.length > 0 ? [{ field: `text-${code}`, text: inText.join(' ') }] : []),
  ]
}

/** A letter as its recipient sees it, in each of its languages. `values` undefined is with the names of the placeholders in their place. */
export function previewOf(content: readonly TemplateContent[], values?: ReadonlyMap<string, string>) {
  const named = new Map(placeholdersOf(content).map((name) => [columnKey(name), `[${name}]`]))
  return fillTemplate(content, new Map([...named, ...(values ?? [])])).map(({ language, subject, body }) => ({
    language,
    languageName: /^[a-z]{2}$/.test(language) ? languageName(language) : '',
    subject,
    html: renderMarkdown(body, { firstHeading: 4, keepLineBreaks: false, language }),
  }))
}

/** Each placeholder with the example that was typed for it. */
export function examplesOf({ examples, ...draft }: TemplateDraft) {
  return placeholdersOf(contentOf({ examples, ...draft })).map((name) => {
    const key = columnKey(name)
    return { name, key, value: examples[key] ?? '' }
  })
}

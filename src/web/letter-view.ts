import { mediaTypes, type StoredDocument, type StoredFile } from '../documents/document.ts'
import type { Letter, LetterContent } from '../mailbox/letter.ts'
import { timeInWords } from './dates.ts'
import { renderMarkdown } from './markdown.ts'
import { escapeHtml } from './page.ts'
import { translate } from './words.ts'

export type FileView = {
  id: string
  name: string
  /** PDF, PNG: undefined where there is no short word for it. */
  kind: string | undefined
  size: { count: string; unit: 'bytes' | 'kilobytes' | 'megabytes' }
  language: string | undefined
  languageName: string | undefined
  page: string
  download: string
}

export type LetterView = {
  id: string
  href: string
  writer: string
  /** Who wrote it for the sender, where that is somebody else. */
  writtenBy: string | undefined
  serviceName: string
  isSent: boolean
  availableAt: Date
  subject: string
  language: string
  html: string
  /** The languages that the letter is written in, where there are several. */
  languages: { code: string; name: string; isShown: boolean }[]
  /** Its sender has taken it back: of what it said nothing is here, and subject and text say that. */
  isRecalled: boolean
  documents: { title: string; isMain: boolean; files: FileView[] }[]
}

type Shown = Pick<
  Letter,
  | 'id'
  | 'isSent'
  | 'isFromParty'
  | 'senderName'
  | 'writtenByName'
  | 'serviceName'
  | 'content'
  | 'documents'
  | 'availableAt'
  | 'recalledAt'
  | 'recallReason'
>

/**
 * A message as a page shows it, in `language` where it is written in it. `folder` is the address that messages have on the reader's
 * pages, such as /letters.
 */
export function viewLetter(letter: Shown, folder: string, firstHeading: number, language?: string): LetterView {
  const recalled = recallInWords(letter, language)
  const content = recalled ?? letter.content.find((each) => each.language === language) ?? letter.content[0]!
  const codes = letter.content.map((each) => each.language)
  return {
    id: letter.id,
    href: `${folder}/${letter.id}`,
    writer: letter.senderName,
    writtenBy: letter.writtenByName ?? undefined,
    serviceName: letter.serviceName,
    isSent: letter.isSent,
    availableAt: letter.availableAt,
    subject: content.subject,
    language: content.language,
    html: recalled
      ? `<p class="govuk-body">${escapeHtml(recalled.body)}</p>`
      : renderMarkdown(content.body, { firstHeading, keepLineBreaks: letter.isFromParty, language: content.language }),
    languages:
      codes.length > 1 ? codes.map((code) => ({ code, name: languageName(code), isShown: code === content.language })) : [],
    isRecalled: recalled !== undefined,
    documents: viewDocuments(letter.documents, `${folder}/${letter.id}`, content.language),
  }
}

/** What stands in place of a letter that its sender took back: in Welsh where that is asked for. Undefined where it was not. */
export function recallInWords(
  { recalledAt, recallReason, senderName }: Pick<Letter, 'recalledAt' | 'recallReason' | 'senderName'>,
  asked?: string,
): LetterContent | undefined {
  if (recalledAt === null) return undefined
  const language = asked === 'cy' ? 'cy' : 'en'
  const t = translate(language)
  const values = { sender: senderName, time: timeInWords(recalledAt, language), reason: recallReason ?? '' }
  return { language, subject: t('letter:recalled.subject', values), body: t('letter:recalled.text', values) }
}

/** A received message that has not been opened stays closed here: its words are read on its own page, which records it. */
export type ConversationEntry =
  | LetterView
  | { href: string; writer: string; serviceName: string; availableAt: Date; isClosed: true }

/** What else has been written back and forth, the oldest first. */
export function viewConversation(
  thread: readonly Letter[],
  shown: Letter | undefined,
  folder: string,
  language?: string,
): ConversationEntry[] {
  return thread
    .filter(({ id }) => id !== shown?.id)
    .map((letter) =>
      letter.isSent || letter.openedAt !== null || letter.recalledAt !== null
        ? viewLetter(letter, folder, 4, language)
        : {
            href: `${folder}/${letter.id}`,
            writer: letter.senderName,
            serviceName: letter.serviceName,
            availableAt: letter.availableAt,
            isClosed: true,
          },
    )
}

/** Technical documents are for machines. Of several files, those in the language that is being read come first. */
function viewDocuments(documents: readonly StoredDocument[], letterHref: string, language: string): LetterView['documents'] {
  return documents
    .filter(({ role }) => role !== 'technical')
    .sort((a, b) => Number(b.role === 'main') - Number(a.role === 'main'))
    .map(({ role, title, files }) => ({
      title,
      isMain: role === 'main',
      files: files
        .toSorted((a, b) => Number(b.language === language) - Number(a.language === language))
        .map((file) => viewFile(file, letterHref)),
    }))
}

export function viewFile(file: StoredFile, letterHref: string): FileView {
  return {
    id: file.id,
    name: file.filename,
    kind: mediaTypes[file.mediaType]?.[0]?.toUpperCase(),
    size: sizeOf(file.size),
    language: file.language,
    languageName: file.language && languageName(file.language),
    page: `${letterHref}/documents/${file.id}`,
    download: `${letterHref}/files/${file.id}?download`,
  }
}

/** PDF, PNG, DOCX: what people call a kind of file. */
export function kindOf(mediaType: string): string {
  return (mediaTypes[mediaType]?.[0] ?? 'file').toUpperCase()
}

/** As pages say it: letter.json has the units in words. */
export function sizeOf(bytes: number): FileView['size'] {
  if (bytes < 1024) return { count: String(bytes), unit: 'bytes' }
  const kilobytes = bytes / 1024
  if (kilobytes < 1024) return { count: String(Math.round(kilobytes)), unit: 'kilobytes' }
  return { count: (kilobytes / 1024).toFixed(1).replace('.0', ''), unit: 'megabytes' }
}

const languageNames = new Map<string, string>()

/** As its own speakers write it: Cymraeg. */
export function languageName(code: string): string {
  let name = languageNames.get(code)
  if (name === undefined) {
    name = new Intl.DisplayNames([code, 'en'], { type: 'language' }).of(code) ?? code
    languageNames.set(code, name)
  }
  return name
}

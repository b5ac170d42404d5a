import type { Actor } from '../../access/actor.ts'
import type { Database } from '../../database/connect.ts'
import type { StoredFile } from '../../documents/document.ts'
import type { MakeReceipt } from '../../evidence/make-receipt.ts'
import type { Evidence } from '../../evidence/read-evidence.ts'
import { listProof, listReceipts } from '../../mailbox/proof.ts'
import { readTaken, type Taken } from '../../mailbox/take-letters.ts'
import { timeInWords } from '../dates.ts'
import { recallInWords, viewLetter } from '../letter-view.ts'
import { renderTemplate } from '../page.ts'
import { happeningInWords } from '../proof-view.ts'
import { type Language, translate } from '../words.ts'
import { safeName } from './names.ts'
import type { Entry } from './zip.ts'

/** For whom an archive is made, and from what. */
export type Making = {
  database: Database
  actor: Actor
  makeReceipt: MakeReceipt
  language: Language
  serviceName: string
  baseUrl: string
  now: Date
}

type FileLine = { path: string; name: string; href: string; role: string; title: string; stored: StoredFile }

/** One letter: as a page that needs nothing else, as text, as data, with its documents and receipts. `folder` ends in a slash, or is empty. */
export async function* letterEntries(making: Making, letter: Taken, folder: string): AsyncGenerator<Entry> {
  const { database, actor, makeReceipt, now } = making
  const at = letter.availableAt
  const text = (name: string, body: string): Entry => ({ name: `${folder}${name}`, packed: Buffer.from(body), at })
  const files = nameFiles(letter)
  const evidence = await listProof(database, actor, letter)
  yield text('letter.html', letterPage(making, letter, files, evidence))
  for (const { language, subject, body } of letter.content) yield text(`letter.${language}.md`, `# ${subject}\n\n${body}\n`)
  yield text('letter.json', `${JSON.stringify(dataOf(letter, files, evidence), null, 2)}\n`)
  for (const { path, stored } of files) {
    yield { name: `${folder}${path}`, stored: await readTaken(database, actor, letter, stored), at }
  }
  const receipts = await listReceipts(database, actor, letter, makeReceipt, now)
  for (const { type, id, receipt } of receipts) yield text(`receipts/${type.replace('.', '-')} ${id}.tlog-proof`, receipt)
}

/** Their paths in the folder of the letter. */
function nameFiles(letter: Taken): FileLine[] {
  const taken = new Set<string>()
  return letter.documents.flatMap(({ role, title, files }) =>
    files.map((stored) => {
      const name = safeName(stored.filename, taken)
      return { path: `documents/${name}`, name, href: `documents/${encodeURIComponent(name)}`, role, title, stored }
    }),
  )
}

function letterPage(making: Making, letter: Taken, files: readonly FileLine[], evidence: readonly Evidence[]): string {
  const { language, serviceName } = making
  const t = translate(language)
  const codes = letter.content.map((each) => each.language)
  const inOrder = letter.recalledAt ? [language] : codes.toSorted((a, b) => Number(b === language) - Number(a === language))
  return renderTemplate(language, 'archive/letter', {
    serviceName,
    letter,
    recipient: recipientOf(evidence),
    texts: inOrder.map((code) => viewLetter(letter, '', 2, code)),
    files,
    happened: evidence.map(({ type, at, record, entry }) => ({
      at: timeInWords(at, language),
      says: happeningInWords(t, type, record),
      entry: entry?.index,
    })),
  })
}

const recipientOf = (evidence: readonly Evidence[]) => evidence[0]?.record.RecipientDetails.name

/** All that is known of the letter, for machines. */
export function dataOf(letter: Taken, files: readonly FileLine[], evidence: readonly Evidence[]) {
  const { id, threadId, answersId, isSent, senderName, serviceName, writtenByName, content, contact } = letter
  return {
    id,
    threadId,
    answersId,
    direction: isSent ? 'sent' : 'received',
    sender: { name: senderName, service: serviceName, writtenBy: writtenByName },
    recipient: { name: recipientOf(evidence) ?? null },
    subject: letter.subject,
    note: letter.note,
    content,
    contact,
    documents: files.map(({ path, role, title, stored: { filename, mediaType, language, size, sha256 } }) => {
      return { path, role, title, filename, mediaType, language: language ?? null, size, sha256 }
    }),
    replyAllowed: letter.replyAllowed,
    replyBy: letter.replyBy,
    availableAt: letter.availableAt,
    openedAt: letter.openedAt,
    expiresAt: letter.expiresAt,
    recalled: letter.recalledAt && { at: letter.recalledAt, reason: letter.recallReason },
    corrects: letter.correctsId,
    correctedBy: letter.correctedById,
    evidence: evidence.map(({ record, entry }) => ({ record, entry: entry ?? null })),
  }
}

type Line = { folder: string; href: string; letter: Taken }

/** Several letters, each in a folder of its own, with a list that leads to them. */
export async function* archiveEntries(
  making: Making,
  letters: AsyncIterable<Taken> | Iterable<Taken>,
  isEverything: boolean,
): AsyncGenerator<Entry> {
  const { language, serviceName, baseUrl, now } = making
  const taken = new Set<string>()
  const lines: Line[] = []
  const text = (name: string, body: string): Entry => ({ name, packed: Buffer.from(body), at: now })
  for (const each of ['en', 'cy'] as const) {
    const name = translate(each)('archive:readme-name')
    yield text(
      name,
      renderTemplate(each, `archive/readme-${each}`, { serviceName, baseUrl, now, isEverything }).replace(/\n/g, '\r\n'),
    )
  }
  for await (const letter of letters) {
    const day = letter.availableAt.toISOString().slice(0, 10)
    const subject = recallInWords(letter, language)?.subject ?? letter.subject
    const folder = safeName(`${day} ${letter.senderName} - ${subject}`.replace(/\./g, ' '), taken, 80)
    yield* letterEntries(making, letter, `letters/${folder}/`)
    // Of each letter so much is kept until the end, and not its text.
    lines.push({ folder, href: `letters/${encodeURIComponent(folder)}/letter.html`, letter: { ...letter, subject, content: [] } })
  }
  lines.reverse()
  yield text('index.html', renderTemplate(language, 'archive/list', { serviceName, lines, now, isEverything }))
  yield text('data.json', `${JSON.stringify({ madeAt: now, by: serviceName, letters: lines.map(summaryOf) }, null, 2)}\n`)
}

function summaryOf({ folder, letter }: Line) {
  const { id, threadId, isSent, senderName, serviceName, subject, availableAt, openedAt } = letter
  const direction = isSent ? 'sent' : 'received'
  const data = `letters/${folder}/letter.json`
  return { id, threadId, direction, sender: senderName, service: serviceName, subject, availableAt, openedAt, data }
}

import { v7 as newId } from 'uuid'
import type { Database } from '../src/database/connect.ts'
import type { MessageFacts } from '../src/evidence/record.ts'
import { type Turns, until } from './measure.ts'

/** The letter that is measured, and its rows. */
const subject = 'Your council tax bill for 2026 to 2027'
const bodyText = 'You can pay by Direct Debit, by card or at a post office. '.repeat(30).slice(0, 1_700)
const pdf = Buffer.concat([Buffer.from('%PDF-1.7\n'), Buffer.alloc(50 * 1024 - 15, 'x'), Buffer.from('\n%%EOF')])

export function letter(documents: boolean) {
  return {
    reference: newId(),
    service: 'council-tax',
    recipient: { scheme: 'link', value: 'CT-1002' },
    subject,
    content: [{ language: 'en', body: bodyText }],
    ...(documents
      ? {
          documents: [
            { role: 'main', files: [{ filename: 'bill.pdf', mediaType: 'application/pdf', content: pdf.toString('base64') }] },
          ],
        }
      : {}),
  }
}

/** What of an event its evidence needs, and is written with it. */
function factsOf(withPdf: boolean): MessageFacts {
  const digest = 'e'.repeat(64)
  const file = { part: 'main', filename: 'bill.pdf', mediaType: 'application/pdf' } as const
  return {
    by: { kind: 'system', id: 'demo-sender', name: 'Council tax billing' },
    door: 'sender-api',
    addressedBy: 'link',
    subject,
    parts: [
      { part: 'text', language: 'en', subject, size: bodyText.length, algorithm: 'SHA-256', digest },
      ...(withPdf ? [{ ...file, size: pdf.length, algorithm: 'SHA-256' as const, digest }] : []),
    ],
    senderName: 'Northfold Council',
    serviceName: 'Council tax',
    isToService: false,
    recipientName: 'Arthur Sample',
  }
}

/** The rows of one letter, in one statement, and nothing else: no look-up, no check, no second try. */
export async function insertBare(database: Database, withPdf: boolean): Promise<void> {
  const [id, mailboxId, senderId, fileId] = [newId(), newId(), newId(), newId()]
  const now = new Date()
  const content = [{ language: 'en', subject, body: bodyText }]
  const documents = withPdf
    ? [
        {
          role: 'main',
          title: 'bill.pdf',
          files: [{ id: fileId, filename: 'bill.pdf', mediaType: 'application/pdf', size: pdf.length, sha256: 'e'.repeat(64) }],
        },
      ]
    : []
  await database`
    with one as (
      insert into ledger (sender_id, reference, message_id, content_digest, mailbox_id, thread_id, accepted_at, available_at, recipient_name)
      values (${senderId}, ${id}, ${id}, ${Buffer.alloc(32)}, ${mailboxId}, ${id}, ${now}, ${now}, 'Arthur Sample')
    ),
    ${withPdf ? database`bytes as (insert into file (mailbox_id, id, message_id, bytes) values (${mailboxId}, ${fileId}, ${id}, ${pdf})),` : database``}
    two as (
      insert into message (mailbox_id, id, thread_id, answers_id, sender_id, sender_party_id, service_id, sender_name, service_name,
                           subject, content, documents, reply_allowed, reply_by, door, available_at, category, recipient_only,
                           written_by_id, written_by_name, contact)
      values (${mailboxId}, ${id}, ${id}, null, ${senderId}, ${senderId}, ${senderId}, 'Northfold Council', 'Council tax',
              ${subject}, ${database.json(content)}, ${database.json(documents)}, true, null, 'sender-api', ${now}, 'general', false,
              null, null, null)
    )
    insert into event (sender_id, type, message_id, reference, at, facts)
    values (${senderId}, 'message.accepted', ${id}, ${id}, ${now}, ${database.json(factsOf(withPdf) as never)}),
           (${senderId}, 'message.available', ${id}, ${id}, ${now}, null)`
}

/**
 * For lines that write what is put into the log afterwards, each second: while a slice is counted, what the second before it wrote is being
 * sealed, as in a program that goes on; and the other line begins only when nothing of this one is left to seal.
 */
export function turnsWithLog(database: Database): Turns {
  const isSealed = async () => {
    const [log] = await database<{ isSealed: boolean }[]>`
      select coalesce((select xid from log_state) > (select max(xid) from event where xid is not null), false) as is_sealed`
    return log!.isSealed
  }
  return { sliceMs: 1_000, leadMs: 1_000, settle: () => until(isSealed) }
}

import { type EvidenceEvent, type EvidenceRecord, evidenceEvents } from './record.ts'

/** What a check came to, and why. */
type Failed = { name: string; says: string }

const inUkTime = new Intl.DateTimeFormat('en-GB', {
  timeZone: 'Europe/London',
  day: 'numeric',
  month: 'long',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
})

/** 5 November 2026 at 10:00 (UK time) */
export function momentInWords(at: Date): string {
  return `${inUkTime.format(at)} (UK time)`
}

const wordsMax = 200

/**
 * Words from a file that anybody may have made, on one line and not too long: without what moves the cursor of a terminal, and
 * without what turns the direction of a text round.
 */
export function plain(text: string): string {
  const line = text
    .toWellFormed()
    .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu, ' ')
    .trim()
  return line.length > wordsMax ? `${line.slice(0, wordsMax).toWellFormed()} …` : line
}

/** Every check that failed is named. Nothing of the record is repeated: it is not to be believed. */
export function sayNotValid(failed: readonly Failed[]): string {
  return `Not valid. ${failed.map(({ name, says }) => `${name[0]!.toUpperCase()}${name.slice(1)}: ${says}`).join(' ')}`
}

/** `ownKey` is the seal's key where nobody else said whom to trust. */
export function sayValid(record: EvidenceRecord, documents: number, ownKey: string | undefined): string {
  const event = eventOf(record)
  const { what, proved, notProved } = happenings[event](wordsOf(record))
  const compared =
    documents === 0 ? 'what its documents say, as none was compared' : 'what any document says that was not compared'
  const isOfLetter = record.UserContentInfo.length > 0
  const proofs = [
    ...proved,
    ...(documents > 0
      ? [documents === 1 ? 'that the document given belongs to it' : 'that the documents given belong to it']
      : []),
  ]
  const trust =
    ownKey === undefined
      ? ''
      : ` The keys came from the receipt itself, so compare ${ownKey} with the seal keys that the installation publishes at /log/keys.json.`
  const open = [...notProved, ...(isOfLetter ? [compared] : [])]
  return `Valid. ${what}. Proved: ${listInWords(proofs)}.${open.length > 0 ? ` Not proved: ${listInWords(open)}.` : ''}${trust}`
}

export function eventOf({ ERDSEventId }: EvidenceRecord): EvidenceEvent {
  return (Object.keys(evidenceEvents) as EvidenceEvent[]).find((event) => evidenceEvents[event] === ERDSEventId)!
}

function listInWords(items: readonly string[]): string {
  return items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`
}

type Words = {
  sender: string
  recipient: string
  mailbox: string
  letter: string
  on: string
  doer: string
  channel: string
  reasons: string
  record: EvidenceRecord
}

function wordsOf(record: EvidenceRecord): Words {
  const { SenderDetails, RecipientDetails, Subject, EventTime, EventDetails, EventReasons } = record
  const service = SenderDetails.service === undefined ? '' : ` (${plain(SenderDetails.service)})`
  const channel = EventDetails?.channel
  const recipient = RecipientDetails.name === undefined ? 'the recipient' : plain(RecipientDetails.name)
  return {
    sender: `${plain(SenderDetails.name)}${service}`,
    recipient,
    // Of a public body with its service.
    mailbox: recipient.includes(', ') ? `the mailbox of ${recipient}` : `${recipient}’s mailbox`,
    letter: Subject === undefined ? 'the letter' : `the letter “${plain(Subject)}”`,
    on: `on ${momentInWords(new Date(EventTime))}`,
    doer: EventDetails?.doneBy ? ` by ${doerInWords(EventDetails.doneBy)}` : '',
    channel: channel === undefined ? '' : ` by ${plain(channel)}`,
    reasons: EventReasons?.length
      ? `: ${EventReasons.map(({ code, reason }) => `${plain(reason)} (${plain(code)})`).join('; ')}`
      : '',
    record,
  }
}

const kinds: Record<NonNullable<NonNullable<EvidenceRecord['EventDetails']>['doneBy']>['kind'], string> = {
  owner: 'the owner of the mailbox',
  helper: 'somebody who may act for the owner of the mailbox',
  staff: 'a member of staff',
  system: 'a computer system of the public body',
  registrar: 'a registrar',
  program: 'the program itself',
}

/** By name, where this side may know it. */
export function doerInWords({
  kind,
  name,
  onBehalfOf,
}: NonNullable<NonNullable<EvidenceRecord['EventDetails']>['doneBy']>): string {
  if (name === undefined) return kinds[kind]
  const whom = onBehalfOf === undefined ? '' : ` for ${plain(onBehalfOf)}`
  return kind === 'owner' ? plain(name) : `${plain(name)}${whom} (${kinds[kind]})`
}

type Happening = { what: string; proved: string[]; notProved: string[] }

const whoWhatWhen = ['who sent what to whom', 'when']
const isRead = 'that anybody read it'

const happenings: Record<EvidenceEvent, (words: Words) => Happening> = {
  'message.accepted': ({ sender, recipient, letter, on }) => ({
    what: `${sender} sent ${letter} to ${recipient}, and it was taken in ${on}`,
    proved: whoWhatWhen,
    notProved: ['that it was in the mailbox', isRead],
  }),
  'message.rejected': ({ sender, letter, on, reasons }) => ({
    what: `${sender} tried to send ${letter}, and it was refused ${on}${reasons}`,
    proved: ['that it was handed in and refused', 'when', 'why'],
    notProved: ['that it reached anybody'],
  }),
  'message.available': ({ sender, mailbox, letter, on }) => ({
    what: `${sender} put ${letter} in ${mailbox} ${on}, where it could be read from then on`,
    proved: [...whoWhatWhen],
    notProved: [isRead],
  }),
  'message.failed': ({ sender, mailbox, letter, on, reasons }) => ({
    what: `${letterFirst(letter)} from ${sender} could not be put in ${mailbox}, as was found ${on}${reasons}`,
    proved: ['that it was not delivered here', 'when', 'why'],
    notProved: ['that it was delivered in another way'],
  }),
  'message.alerted': ({ sender, recipient, letter, on, channel }) => ({
    what: `${recipient} was told${channel} ${on} that there is post: ${letter} from ${sender}`,
    proved: ['that the alert was handed over', 'when'],
    notProved: ['that anybody saw the alert', isRead],
  }),
  'message.alert-failed': ({ sender, recipient, letter, on, channel, reasons }) => ({
    what: `${recipient} could not be told${channel} ${on} that there is post, ${letter} from ${sender}${reasons}`,
    proved: ['that the alert failed', 'when', 'why'],
    notProved: [isRead],
  }),
  'message.opened': ({ sender, mailbox, letter, on, doer }) => ({
    what: `${letterFirst(letter)} from ${sender} in ${mailbox} was opened ${on}${doer}`,
    proved: ['that it was opened', 'when', 'who sent what to whom'],
    notProved: ['that anybody read it to its end, or understood it'],
  }),
  'message.handed-over': ({ sender, mailbox, letter, on, doer }) => ({
    what: `Of ${letter} from ${sender} in ${mailbox}, a file was handed over ${on}${doer}`,
    proved: ['which file was handed over', 'when'],
    notProved: ['that anybody read it'],
  }),
  'message.relayed': ({ sender, recipient, letter, on, channel }) => ({
    what: `${letterFirst(letter)} from ${sender} to ${recipient} was handed on${channel} ${on}, outside this mailbox`,
    proved: ['that it was handed on', 'when'],
    notProved: ['that it arrived', isRead],
  }),
  'message.answered': ({ sender, recipient, letter, on, doer }) => ({
    what: `${letterFirst(letter)} from ${sender} to ${recipient} was answered ${on}${doer}`,
    proved: ['that it was answered', 'when', 'by which message'],
    notProved: ['what the answer says'],
  }),
  'message.recalled': ({ sender, recipient, letter, on, doer, reasons }) => ({
    what: `${letterFirst(letter)} from ${sender} to ${recipient} was taken back ${on}${doer}${reasons}`,
    proved: ['that it was taken back', 'when'],
    notProved: ['that nobody had read it before'],
  }),
  'message.served': ({ sender, recipient, letter, on }) => ({
    what: `${letterFirst(letter)} from ${sender} to ${recipient} was recorded as served ${on}`,
    proved: [...whoWhatWhen],
    notProved: [isRead],
  }),
  'message.action': ({ sender, recipient, letter, on, doer, record }) => ({
    what: `What ${letter} from ${sender} asks of ${recipient}, “${plain(record.EventDetails?.action?.label ?? '')}”, was ${becameInWords(record)} ${on}${doer}`,
    proved: ['what became of it', 'when', 'of which letter it is'],
    notProved: ['what was done outside this mailbox'],
  }),
  'service.interrupted': ({ record, on, reasons }) => ({
    what: `Post could not be delivered or read at ${plain(record.EvidenceIssuerDetails.name)}${spanOf(record)}, as was recorded ${on}${reasons}`,
    proved: ['that the issuer recorded the interruption', 'when'],
    notProved: ['whom it kept from their post'],
  }),
  'service.restored': ({ record, on }) => ({
    what: `Post could be delivered and read again at ${plain(record.EvidenceIssuerDetails.name)}${spanOf(record)}, as was recorded ${on}`,
    proved: ['that the issuer recorded the end of the interruption', 'when'],
    notProved: ['whom it kept from their post'],
  }),
}

/** Of a payment, an appointment, a declaration, and what somebody notes for themselves. */
export function becameInWords({ EventDetails }: EvidenceRecord): string {
  const { kind, state = 'open' } = EventDetails?.action ?? {}
  const words: Record<string, string> = {
    open: 'opened again',
    started: 'begun',
    done: doneInWords[kind ?? ''] ?? 'marked as done',
    failed: 'tried without success',
    cancelled: kind === 'book' ? 'declined' : 'cancelled',
  }
  return words[state]!
}

const doneInWords: Record<string, string> = { pay: 'paid', book: 'accepted', sign: 'signed', confirm: 'confirmed' }

function letterFirst(letter: string): string {
  return `T${letter.slice(1)}`
}

function spanOf({ EventDetails }: EvidenceRecord): string {
  const [from, until] = [EventDetails?.from, EventDetails?.until].map((text) => {
    const at = new Date(text ?? '')
    return Number.isNaN(at.getTime()) ? undefined : momentInWords(at)
  })
  return `${from ? ` from ${from}` : ''}${until ? ` until ${until}` : ''}`
}

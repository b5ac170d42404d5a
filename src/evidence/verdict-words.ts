import type { ChangedAction, EvidenceEvent, EvidenceRecord } from './record.ts'

/** What a verdict says of a record, made plain: words of a file that anybody may have made. */
export type Told = {
  sender: string
  recipient: string | undefined
  subject: string | undefined
  issuer: string
  at: Date
  from: Date | undefined
  until: Date | undefined
  doer: Doer | undefined
  channel: string | undefined
  /** What a letter asked, and what became of that. */
  action: ToldAction | undefined
  /** Each with its code. */
  reasons: readonly string[]
}
export type ToldAction = { label: string; kind: ChangedAction['kind']; state: ChangedAction['state'] }
export type DoerKind = NonNullable<NonNullable<EvidenceRecord['EventDetails']>['doneBy']>['kind']
/** By name, where this side may know it. */
export type Doer = { kind: DoerKind; name: string | undefined; onBehalfOf: string | undefined }

/** What happened, what that proves, and what it does not. */
export type Happening = { what: string; proved: readonly string[]; notProved: readonly string[] }

/** What part of a letter a document is. */
export type PartKind = 'text' | 'main' | 'additional' | 'technical' | 'action'

/** A language as the verifier speaks it. English is in this file, and Welsh in verdict-welsh.ts: the verifier has no use for the pages' words. */
export type VerdictWords = {
  /** 5 November 2026 at 10:00 (UK time) */
  moment: (at: Date) => string
  list: (items: readonly string[]) => string
  valid: (what: string, proved: string, notProved: string) => string
  /** The seal's key, where nobody else said whom to trust. */
  ownKeys: (key: string) => string
  noneCompared: string
  othersNotCompared: string
  belongs: (documents: number) => string
  happening: (event: EvidenceEvent, told: Told) => Happening
  uncheckable: string
  form: Record<'unreadable' | 'noRecord' | 'notLookedAt' | 'notWhole' | 'noKey' | 'passed', string>
  seal: Record<'malformed' | 'unknownKey' | 'wrong' | 'ofAnother', string> & { passed: (kid: string) => string }
  time: Record<'witnessedBefore' | 'nobody' | 'stampedBefore', string> & {
    byWitnesses: (first: string) => string
    stampWrong: (why: string) => string
    passed: (authority: string, at: string) => string
  }
  content: Record<'none' | 'tooLarge', string> & {
    tooMany: (most: number) => string
    noPart: (names: readonly string[]) => string
    isPart: (name: string, kind: PartKind, language: string | undefined, filename: string | undefined) => string
  }
  inclusion: Record<'otherLog' | 'notSigned' | 'notThere', string> & {
    passed: (index: number, size: string, log: string) => string
  }
  cosignatures: Record<'unreadable' | 'wrong' | 'unknown' | 'none', string> & {
    passed: (each: readonly string[]) => string
    one: (name: string, at: string) => string
  }
}

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

function listInWords(items: readonly string[]): string {
  return items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`
}

const kinds: Record<DoerKind, string> = {
  owner: 'the owner of the mailbox',
  helper: 'somebody who may act for the owner of the mailbox',
  staff: 'a member of staff',
  system: 'a computer system of the public body',
  registrar: 'a registrar',
  program: 'the program itself',
}

export function doerIn({ kind, name, onBehalfOf }: Doer): string {
  if (name === undefined) return kinds[kind]
  const whom = onBehalfOf === undefined ? '' : ` for ${onBehalfOf}`
  return kind === 'owner' ? name : `${name}${whom} (${kinds[kind]})`
}

type Words = Record<
  'sender' | 'recipient' | 'mailbox' | 'letter' | 'on' | 'doer' | 'channel' | 'reasons' | 'issuer' | 'span' | 'asked' | 'became',
  string
>

function wordsOf(told: Told): Words {
  const recipient = told.recipient ?? 'the recipient'
  return {
    sender: told.sender,
    recipient,
    // Of a public body with its service.
    mailbox: recipient.includes(', ') ? `the mailbox of ${recipient}` : `${recipient}’s mailbox`,
    letter: told.subject === undefined ? 'the letter' : `the letter “${told.subject}”`,
    on: `on ${momentInWords(told.at)}`,
    doer: told.doer ? ` by ${doerIn(told.doer)}` : '',
    channel: told.channel === undefined ? '' : ` by ${told.channel}`,
    reasons: told.reasons.length > 0 ? `: ${told.reasons.join('; ')}` : '',
    issuer: told.issuer,
    asked: told.action?.label ?? '',
    became: told.action ? becameIn(told.action) : '',
    span: `${told.from ? ` from ${momentInWords(told.from)}` : ''}${told.until ? ` until ${momentInWords(told.until)}` : ''}`,
  }
}

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
  'message.action': ({ sender, recipient, letter, on, doer, asked, became }) => ({
    what: `What ${letter} from ${sender} asks of ${recipient}, “${asked}”, was ${became} ${on}${doer}`,
    proved: ['what became of it', 'when', 'of which letter it is'],
    notProved: ['what was done outside this mailbox'],
  }),
  'service.interrupted': ({ issuer, span, on, reasons }) => ({
    what: `Post could not be delivered or read at ${issuer}${span}, as was recorded ${on}${reasons}`,
    proved: ['that the issuer recorded the interruption', 'when'],
    notProved: ['whom it kept from their post'],
  }),
  'service.restored': ({ issuer, span, on }) => ({
    what: `Post could be delivered and read again at ${issuer}${span}, as was recorded ${on}`,
    proved: ['that the issuer recorded the end of the interruption', 'when'],
    notProved: ['whom it kept from their post'],
  }),
}

/** Of a payment, an appointment, a declaration, and what somebody notes for themselves. */
function becameIn({ kind, state }: ToldAction): string {
  const words = {
    open: 'opened again',
    started: 'begun',
    done: doneInWords[kind] ?? 'marked as done',
    failed: 'tried without success',
    cancelled: kind === 'book' ? 'declined' : 'cancelled',
  }
  return words[state]
}

const doneInWords: Record<string, string> = { pay: 'paid', book: 'accepted', sign: 'signed', confirm: 'confirmed' }

function letterFirst(letter: string): string {
  return `T${letter.slice(1)}`
}

const documentKinds = {
  main: 'the main document',
  additional: 'a document',
  technical: 'a document for machines',
  action: 'something to do',
}

export const english: VerdictWords = {
  moment: momentInWords,
  list: listInWords,
  valid: (what, proved, notProved) => `Valid. ${what}. Proved: ${proved}.${notProved === '' ? '' : ` Not proved: ${notProved}.`}`,
  ownKeys: (key) =>
    ` The keys came from the receipt itself, so compare ${key} with the seal keys that the installation publishes at /log/keys.json.`,
  noneCompared: 'what its documents say, as none was compared',
  othersNotCompared: 'what any document says that was not compared',
  belongs: (documents) => (documents === 1 ? 'that the document given belongs to it' : 'that the documents given belong to it'),
  happening: (event, told) => happenings[event](wordsOf(told)),
  uncheckable: 'It cannot be checked.',
  form: {
    unreadable: 'The file cannot be read.',
    noRecord: 'What the receipt holds is no evidence record.',
    notLookedAt: 'Not looked at, as the file cannot be read.',
    notWhole: 'The file is not as it was issued: its digest is another.',
    noKey: 'One of the keys is none.',
    passed: 'The file is whole and well-formed, and its record has all that it must have.',
  },
  seal: {
    malformed: 'The seal is not written as a seal of evidence is.',
    unknownKey: 'The seal is by a key that is not among those to trust.',
    wrong: 'The seal is wrong: its signature does not fit.',
    ofAnother: 'The seal is of another record.',
    passed: (kid) => `The record is sealed by key ${kid} (ES256).`,
  },
  time: {
    witnessedBefore: 'A witness says that it saw this before it happened.',
    nobody: 'Nobody but the issuer says when it was: there is no time-stamp and no witness.',
    stampedBefore: 'The time-stamp is from before it happened.',
    byWitnesses: (first) =>
      `There is no time-stamp. That it was in the log by ${first} is said by the witnesses, as each cosignature has a time.`,
    stampWrong: (why) => why,
    passed: (authority, at) => `A time-stamp (RFC 3161) of ${authority} says that it was in the log by ${at}.`,
  },
  content: {
    none: 'No document was given, so none was compared.',
    tooLarge: 'The documents given are together larger than any letter.',
    tooMany: (most) => `More than ${most} documents were given.`,
    noPart: (names) =>
      `${names.map((name) => `“${name}”`).join(', ')} ${names.length === 1 ? 'is' : 'are'} no part of this letter: every byte must be the same.`,
    isPart: (name, kind, language, filename) =>
      kind === 'text'
        ? `“${name}” is the text of the letter${language ? ` (${language})` : ''}.`
        : `“${name}” is ${documentKinds[kind]} of the letter${filename ? `, “${filename}”` : ''}.`,
  },
  inclusion: {
    otherLog: 'The checkpoint is of another log.',
    notSigned: 'The log has not signed the checkpoint.',
    notThere: 'The record is not in the log at the place that the receipt says.',
    passed: (index, size, log) => `The record is entry ${index} of the ${size} in the log ${log}, as its signed checkpoint says.`,
  },
  cosignatures: {
    unreadable: 'The witnesses’ cosignatures cannot be read.',
    wrong: 'A cosignature is wrong.',
    unknown: 'The checkpoint has a signature by a key that is not known.',
    none: 'No witness that is known has cosigned the checkpoint.',
    one: (name, at) => `${name} on ${at}`,
    passed: (each) => `The checkpoint is cosigned by ${each.join(', ')}.`,
  },
}

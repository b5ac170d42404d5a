import { type EvidenceEvent, type EvidenceRecord, evidenceEvents } from './record.ts'
import { doerIn, type Told, type VerdictWords } from './verdict-words.ts'

/** What a check came to, and why. */
type Failed = { name: string; says: string }

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
export function sayValid(record: EvidenceRecord, documents: number, ownKey: string | undefined, words: VerdictWords): string {
  const { what, proved, notProved } = words.happening(eventOf(record), tell(record))
  const isOfLetter = record.UserContentInfo.length > 0
  const compared = documents === 0 ? words.noneCompared : words.othersNotCompared
  const proofs = [...proved, ...(documents > 0 ? [words.belongs(documents)] : [])]
  const open = [...notProved, ...(isOfLetter ? [compared] : [])]
  return words.valid(what, words.list(proofs), words.list(open)) + (ownKey === undefined ? '' : words.ownKeys(ownKey))
}

export function eventOf({ ERDSEventId }: EvidenceRecord): EvidenceEvent {
  return (Object.keys(evidenceEvents) as EvidenceEvent[]).find((event) => evidenceEvents[event] === ERDSEventId)!
}

const plainOrNot = (text: string | undefined) => (text === undefined ? undefined : plain(text))

function tell(record: EvidenceRecord): Told {
  const { SenderDetails, RecipientDetails, Subject, EvidenceIssuerDetails, EventTime, EventDetails, EventReasons } = record
  const service = SenderDetails.service === undefined ? '' : ` (${plain(SenderDetails.service)})`
  const { doneBy } = EventDetails ?? {}
  return {
    sender: `${plain(SenderDetails.name)}${service}`,
    recipient: plainOrNot(RecipientDetails.name),
    subject: plainOrNot(Subject),
    issuer: plain(EvidenceIssuerDetails.name),
    at: new Date(EventTime),
    from: readMoment(EventDetails?.from),
    until: readMoment(EventDetails?.until),
    doer: doneBy && { kind: doneBy.kind, name: plainOrNot(doneBy.name), onBehalfOf: plainOrNot(doneBy.onBehalfOf) },
    channel: plainOrNot(EventDetails?.channel),
    action: EventDetails?.action && { ...EventDetails.action, label: plain(EventDetails.action.label) },
    reasons: (EventReasons ?? []).map(({ code, reason }) => `${plain(reason)} (${plain(code)})`),
  }
}

function readMoment(text: string | undefined): Date | undefined {
  const at = new Date(text ?? '')
  return Number.isNaN(at.getTime()) ? undefined : at
}

type DoneBy = NonNullable<NonNullable<EvidenceRecord['EventDetails']>['doneBy']>

/** By name, where this side may know it. */
export function doerInWords({ kind, name, onBehalfOf }: DoneBy): string {
  return doerIn({ kind, name: plainOrNot(name), onBehalfOf: plainOrNot(onBehalfOf) })
}

import { createHash, type KeyObject } from 'node:crypto'
import { Value } from 'typebox/value'
import { type Cosignature, verifyCosignatures } from './cosignature.ts'
import { compactJws, entriesSealedAtOnce, verifyJws } from './jws.ts'
import { parseVerifierKey, sortSignatures, type VerifierKey, verifyNote } from './note.ts'
import { parseReceipt, type ReadReceipt } from './receipt.ts'
import { canonical, commitmentOf, EvidenceRecord, type Part } from './record.ts'
import { verifyTimeStamp } from './time-stamp.ts'
import { leafHash, verifyInclusion } from './tree.ts'
import { readSealKey, type TrustedKeys } from './trusted-keys.ts'
import { momentInWords, plain, sayNotValid, sayValid } from './verdict.ts'

// Reads as the standards do, from bytes to a verdict: no database, no network, no clock, and nothing of the program but pure files.

export const checkNames = ['form', 'seal', 'time', 'content', 'inclusion', 'cosignatures'] as const
export type CheckName = (typeof checkNames)[number]
export type Check = { name: CheckName; isPassed: boolean; says: string }

export type Verdict = {
  /** All checks passed. */
  isValid: boolean
  checks: Check[]
  /** What the receipt says; only to be believed where it is valid. */
  record: EvidenceRecord | undefined
  /** One line that a person understands. */
  sentence: string
}

/** Its bytes, or what is needed of one that was not kept: the SHA-256 in hexadecimal. */
export type GivenDocument = { name: string } & ({ bytes: Uint8Array } | { digest: string; size: number })

/** No letter is larger. */
export const documentsBytesMax = 30 * 1024 * 1024
export const documentsMax = 100

/** Clocks differ by so much, at most, between who takes a letter and who says when something was there. */
const clocksDifferMs = 60_000

/**
 * Whether a receipt holds, and holds for these documents. Keys are those of `trusted`, or else the receipt's own, and the verdict
 * says so. Whatever the bytes are, the answer is a verdict, and never an error.
 */
export function verifyReceipt(file: Uint8Array, documents: readonly GivenDocument[], trusted?: TrustedKeys): Verdict {
  const receipt = refuseErrors(() => parseReceipt(file), 'The file cannot be read.')
  if (typeof receipt === 'string') return notReadable(receipt)
  const record = readRecord(receipt.record)
  if (record === undefined) return notReadable('What the receipt holds is no evidence record.')
  const keys = keysOf(receipt, trusted)
  const commitment = commitmentOf(receipt.record, receipt.salt)
  const cosigned = refuseErrors(() => readCosignatures(receipt, keys), 'The witnesses’ cosignatures cannot be read.')
  const works: Record<CheckName, () => string | Passed> = {
    form: () => checkForm(receipt, keys),
    seal: () => checkSeal(receipt, commitment, keys),
    time: () => checkTime(receipt, record, keys, typeof cosigned === 'string' ? [] : cosigned),
    content: () => checkContent(record, documents),
    inclusion: () => checkInclusion(receipt, record, commitment, keys),
    cosignatures: () => (typeof cosigned === 'string' ? cosigned : sayCosignatures(cosigned)),
  }
  const checks = checkNames.map((name): Check => {
    const outcome = refuseErrors(works[name], 'It cannot be checked.')
    return typeof outcome === 'string' ? { name, isPassed: false, says: outcome } : { name, isPassed: true, says: outcome.says }
  })
  const failed = checks.filter(({ isPassed }) => !isPassed)
  if (failed.length > 0) return { isValid: false, checks, record, sentence: sayNotValid(failed) }
  const ownKey = trusted === undefined ? receipt.keys.seal.kid : undefined
  return { isValid: true, checks, record, sentence: sayValid(record, documents.length, ownKey) }
}

/** A check answers a sentence why it failed, or this. */
type Passed = { says: string }

function notReadable(says: string): Verdict {
  const checks = checkNames.map((name) => ({
    name,
    isPassed: false,
    says: name === 'form' ? says : 'Not looked at, as the file cannot be read.',
  }))
  return { isValid: false, checks, record: undefined, sentence: sayNotValid(checks.slice(0, 1)) }
}

// Bytes from outside may fail anywhere in the libraries; whatever that is, the answer is no.
function refuseErrors<T>(work: () => T, otherwise: string): T | string {
  try {
    return work()
  } catch {
    return otherwise
  }
}

function readRecord(text: string): EvidenceRecord | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return Value.Check(EvidenceRecord, value) && canonical(value) === text && isMoment(value.EventTime) ? value : undefined
  } catch {
    return undefined
  }
}

/** As records have it: RFC 3339 in UTC, to the millisecond. */
function isMoment(text: string): boolean {
  const at = new Date(text)
  return !Number.isNaN(at.getTime()) && at.toISOString() === text
}

type Keys = {
  seal: ReadonlyMap<string, KeyObject>
  log: readonly VerifierKey[]
  witnesses: readonly VerifierKey[]
  authorities: readonly string[]
  /** Whether all that should be a key is one. */
  areWhole: boolean
}

function keysOf({ keys: own }: ReadReceipt, trusted?: TrustedKeys): Keys {
  const { seal, log, witnesses, timeStampAuthorities } = trusted ?? {
    seal: [own.seal],
    log: [own.log],
    witnesses: own.witnesses,
    timeStampAuthorities: own.timeStampAuthority === undefined ? [] : [own.timeStampAuthority],
  }
  const readable = seal.flatMap((jwk) => {
    const key = readSealKey(jwk)
    return key ? [[jwk.kid, key] as const] : []
  })
  const [logKeys, witnessKeys] = [log, witnesses].map((texts) => texts.flatMap((text) => parseVerifierKey(text) ?? []))
  const areWhole = readable.length === seal.length && logKeys!.length === log.length && witnessKeys!.length === witnesses.length
  return { seal: new Map(readable), log: logKeys!, witnesses: witnessKeys!, authorities: timeStampAuthorities, areWhole }
}

function checkForm({ isWhole }: ReadReceipt, { areWhole }: Keys): string | Passed {
  if (!isWhole) return 'The file is not as it was issued: its digest is another.'
  if (!areWhole) return 'One of the keys is none.'
  return { says: 'The file is whole and well-formed, and its record has all that it must have.' }
}

/** The JWS is over a row of entries of the log: this record's commitment must be in the place of its index. */
function checkSeal({ seal, index }: ReadReceipt, commitment: Buffer, keys: Keys): string | Passed {
  const [header = '', body = '', tail = ''] = seal.split('.', 3)
  const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString()) as { kid: unknown }
  const [payload, signature] = [Buffer.from(body, 'base64url'), Buffer.from(tail, 'base64url')]
  if (typeof kid !== 'string' || compactJws(kid, 'dp-evidence+jws', payload, signature) !== seal) {
    return 'The seal is not written as a seal of evidence is.'
  }
  const key = keys.seal.get(kid)
  if (key === undefined) return 'The seal is by a key that is not among those to trust.'
  if (!verifyJws(key, kid, 'dp-evidence+jws', payload, signature)) {
    return 'The seal is wrong: its signature does not fit.'
  }
  const place = 32 * (index % entriesSealedAtOnce)
  const isSealed = payload.length === 32 * entriesSealedAtOnce && payload.subarray(place, place + 32).equals(commitment)
  return isSealed ? { says: `The record is sealed by key ${kid} (ES256).` } : 'The seal is of another record.'
}

function checkTime(receipt: ReadReceipt, record: EvidenceRecord, keys: Keys, cosigned: readonly Cosignature[]): string | Passed {
  const earliest = new Date(record.EventTime).getTime() - clocksDifferMs
  const witnessed = cosigned.map(({ timestamp }) => timestamp * 1_000)
  // Witnesses count whole seconds.
  if (witnessed.some((at) => at + 1_000 < earliest)) return 'A witness says that it saw this before it happened.'
  if (receipt.timeStamp === undefined) {
    if (witnessed.length === 0) return 'Nobody but the issuer says when it was: there is no time-stamp and no witness.'
    const first = momentInWords(new Date(Math.min(...witnessed)))
    return {
      says: `There is no time-stamp. That it was in the log by ${first} is said by the witnesses, as each cosignature has a time.`,
    }
  }
  const stamp = verifyTimeStamp(receipt.timeStamp, Buffer.from(receipt.note.text), keys.authorities)
  if (typeof stamp === 'string') return stamp
  if (stamp.at.getTime() + (stamp.accuracyMs ?? 0) < earliest) return 'The time-stamp is from before it happened.'
  return {
    says: `A time-stamp (RFC 3161) of ${plain(stamp.authority)} says that it was in the log by ${momentInWords(stamp.at)}.`,
  }
}

function checkContent(record: EvidenceRecord, documents: readonly GivenDocument[]): string | Passed {
  if (documents.length === 0) return { says: 'No document was given, so none was compared.' }
  if (documents.length > documentsMax) return `More than ${documentsMax} documents were given.`
  if (documents.reduce((total, each) => total + ('bytes' in each ? each.bytes.length : each.size), 0) > documentsBytesMax) {
    return 'The documents given are together larger than any letter.'
  }
  const parts = [...record.UserContentInfo, ...(record.EventDetails?.file ? [record.EventDetails.file] : [])]
  const compared = documents.map((given) => {
    const digest = 'bytes' in given ? createHash('sha256').update(given.bytes).digest('hex') : given.digest
    return { name: plain(given.name), part: parts.find((each) => each.digest === digest) }
  })
  const others = compared.filter(({ part }) => part === undefined)
  if (others.length > 0) {
    const names = others.map(({ name }) => `“${name}”`).join(', ')
    return `${names} ${others.length === 1 ? 'is' : 'are'} no part of this letter: every byte must be the same.`
  }
  return { says: compared.map(({ name, part }) => `“${name}” is ${partInWords(part!)}.`).join(' ') }
}

function partInWords({ part, language, filename }: Part): string {
  if (part === 'action') return 'what the letter asks to do'
  if (part === 'text') return `the text of the letter${language ? ` (${plain(language)})` : ''}`
  const kind = { main: 'the main document', additional: 'a document', technical: 'a document for machines' }[part]
  return `${kind} of the letter${filename ? `, “${plain(filename)}”` : ''}`
}

function checkInclusion(receipt: ReadReceipt, record: EvidenceRecord, commitment: Buffer, keys: Keys): string | Passed {
  const { note, index, path, checkpoint } = receipt
  const { origin, size } = checkpoint
  const ofOrigin = keys.log.filter(({ name }) => name === origin)
  if (origin !== record.EvidenceIssuerDetails.log || ofOrigin.length === 0) return 'The checkpoint is of another log.'
  if (verifyNote(note, ofOrigin) === undefined) return 'The log has not signed the checkpoint.'
  return verifyInclusion(leafHash(commitment), index, path, checkpoint)
    ? { says: `The record is entry ${index} of the ${size} in the log ${plain(origin)}, as its signed checkpoint says.` }
    : 'The record is not in the log at the place that the receipt says.'
}

/** Or a sentence why they are not right. */
function readCosignatures({ note }: ReadReceipt, { log, witnesses }: Keys): Cosignature[] | string {
  // A log that witnesses itself is not witnessed.
  const others = witnesses.filter(({ publicKey }) => !log.some((key) => key.publicKey.equals(publicKey)))
  const found = verifyCosignatures(note, others)
  if (found === undefined) return 'A cosignature is wrong.'
  if (sortSignatures(found.unknown, log).unknown.length > 0) return 'The checkpoint has a signature by a key that is not known.'
  return found.cosignatures.length > 0 ? found.cosignatures : 'No witness that is known has cosigned the checkpoint.'
}

function sayCosignatures(cosigned: readonly Cosignature[]): Passed {
  const each = cosigned.map(({ key, timestamp }) => `${plain(key.name)} on ${momentInWords(new Date(timestamp * 1_000))}`)
  return { says: `The checkpoint is cosigned by ${each.join(', ')}.` }
}

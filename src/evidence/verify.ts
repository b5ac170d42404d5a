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
import { plain, sayNotValid, sayValid } from './verdict.ts'
import { english, type VerdictWords } from './verdict-words.ts'

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

/** No letter is larger: 500 MB with what was uploaded for it, and its text. */
export const documentsBytesMax = 505 * 1024 * 1024
export const documentsMax = 100

/** Clocks differ by so much, at most, between who takes a letter and who says when something was there. */
const clocksDifferMs = 60_000

/**
 * Whether a receipt holds, and holds for these documents. Keys are those of `trusted`, or else the receipt's own, and the verdict
 * says so. Whatever the bytes are, the answer is a verdict, and never an error.
 */
export function verifyReceipt(
  file: Uint8Array,
  documents: readonly GivenDocument[],
  trusted?: TrustedKeys,
  words: VerdictWords = english,
): Verdict {
  const receipt = refuseErrors(() => parseReceipt(file), words.form.unreadable)
  if (typeof receipt === 'string') return notReadable(receipt, words)
  const record = readRecord(receipt.record)
  if (record === undefined) return notReadable(words.form.noRecord, words)
  const keys = keysOf(receipt, trusted)
  const commitment = commitmentOf(receipt.record, receipt.salt)
  const cosigned = refuseErrors(() => readCosignatures(receipt, keys, words), words.cosignatures.unreadable)
  const works: Record<CheckName, () => string | Passed> = {
    form: () => checkForm(receipt, keys, words),
    seal: () => checkSeal(receipt, commitment, keys, words),
    time: () => checkTime(receipt, record, keys, typeof cosigned === 'string' ? [] : cosigned, words),
    content: () => checkContent(record, documents, words),
    inclusion: () => checkInclusion(receipt, record, commitment, keys, words),
    cosignatures: () => (typeof cosigned === 'string' ? cosigned : sayCosignatures(cosigned, words)),
  }
  const checks = checkNames.map((name): Check => {
    const outcome = refuseErrors(works[name], words.uncheckable)
    return typeof outcome === 'string' ? { name, isPassed: false, says: outcome } : { name, isPassed: true, says: outcome.says }
  })
  const failed = checks.filter(({ isPassed }) => !isPassed)
  if (failed.length > 0) return { isValid: false, checks, record, sentence: sayNotValid(failed) }
  const ownKey = trusted === undefined ? receipt.keys.seal.kid : undefined
  return { isValid: true, checks, record, sentence: sayValid(record, documents.length, ownKey, words) }
}

/** A check answers a sentence why it failed, or this. */
type Passed = { says: string }

function notReadable(says: string, words: VerdictWords): Verdict {
  const checks = checkNames.map((name) => ({
    name,
    isPassed: false,
    says: name === 'form' ? says : words.form.notLookedAt,
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

function checkForm({ isWhole }: ReadReceipt, { areWhole }: Keys, { form }: VerdictWords): string | Passed {
  if (!isWhole) return form.notWhole
  if (!areWhole) return form.noKey
  return { says: form.passed }
}

/** The JWS is over a row of entries of the log: this record's commitment must be in the place of its index. */
function checkSeal({ seal, index }: ReadReceipt, commitment: Buffer, keys: Keys, words: VerdictWords): string | Passed {
  const [header = '', body = '', tail = ''] = seal.split('.', 3)
  const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString()) as { kid: unknown }
  const [payload, signature] = [Buffer.from(body, 'base64url'), Buffer.from(tail, 'base64url')]
  if (typeof kid !== 'string' || compactJws(kid, 'dp-evidence+jws', payload, signature) !== seal) {
    return words.seal.malformed
  }
  const key = keys.seal.get(kid)
  if (key === undefined) return words.seal.unknownKey
  if (!verifyJws(key, kid, 'dp-evidence+jws', payload, signature)) {
    return words.seal.wrong
  }
  const place = 32 * (index % entriesSealedAtOnce)
  const isSealed = payload.length === 32 * entriesSealedAtOnce && payload.subarray(place, place + 32).equals(commitment)
  return isSealed ? { says: words.seal.passed(kid) } : words.seal.ofAnother
}

function checkTime(
  receipt: ReadReceipt,
  record: EvidenceRecord,
  keys: Keys,
  cosigned: readonly Cosignature[],
  { time, moment }: VerdictWords,
): string | Passed {
  const earliest = new Date(record.EventTime).getTime() - clocksDifferMs
  const witnessed = cosigned.map(({ timestamp }) => timestamp * 1_000)
  // Witnesses count whole seconds.
  if (witnessed.some((at) => at + 1_000 < earliest)) return time.witnessedBefore
  if (receipt.timeStamp === undefined) {
    if (witnessed.length === 0) return time.nobody
    return { says: time.byWitnesses(moment(new Date(Math.min(...witnessed)))) }
  }
  const stamp = verifyTimeStamp(receipt.timeStamp, Buffer.from(receipt.note.text), keys.authorities)
  if (typeof stamp === 'string') return time.stampWrong(stamp)
  if (stamp.at.getTime() + (stamp.accuracyMs ?? 0) < earliest) return time.stampedBefore
  return { says: time.passed(plain(stamp.authority), moment(stamp.at)) }
}

function checkContent(record: EvidenceRecord, documents: readonly GivenDocument[], { content }: VerdictWords): string | Passed {
  if (documents.length === 0) return { says: content.none }
  if (documents.length > documentsMax) return content.tooMany(documentsMax)
  if (documents.reduce((total, each) => total + ('bytes' in each ? each.bytes.length : each.size), 0) > documentsBytesMax) {
    return content.tooLarge
  }
  const parts = [...record.UserContentInfo, ...(record.EventDetails?.file ? [record.EventDetails.file] : [])]
  const compared = documents.map((given) => {
    const digest = 'bytes' in given ? createHash('sha256').update(given.bytes).digest('hex') : given.digest
    return { name: plain(given.name), part: parts.find((each) => each.digest === digest) }
  })
  const others = compared.filter(({ part }) => part === undefined)
  if (others.length > 0) return content.noPart(others.map(({ name }) => name))
  const isPart = ({ name, part }: { name: string; part: Part }) =>
    content.isPart(name, part.part, part.language && plain(part.language), part.filename && plain(part.filename))
  return { says: compared.map(({ name, part }) => isPart({ name, part: part! })).join(' ') }
}

function checkInclusion(
  receipt: ReadReceipt,
  record: EvidenceRecord,
  commitment: Buffer,
  keys: Keys,
  { inclusion }: VerdictWords,
): string | Passed {
  const { note, index, path, checkpoint } = receipt
  const { origin, size } = checkpoint
  const ofOrigin = keys.log.filter(({ name }) => name === origin)
  if (origin !== record.EvidenceIssuerDetails.log || ofOrigin.length === 0) return inclusion.otherLog
  if (verifyNote(note, ofOrigin) === undefined) return inclusion.notSigned
  return verifyInclusion(leafHash(commitment), index, path, checkpoint)
    ? { says: inclusion.passed(index, String(size), plain(origin)) }
    : inclusion.notThere
}

/** Or a sentence why they are not right. */
function readCosignatures(
  { note }: ReadReceipt,
  { log, witnesses }: Keys,
  { cosignatures }: VerdictWords,
): Cosignature[] | string {
  // A log that witnesses itself is not witnessed.
  const others = witnesses.filter(({ publicKey }) => !log.some((key) => key.publicKey.equals(publicKey)))
  const found = verifyCosignatures(note, others)
  if (found === undefined) return cosignatures.wrong
  if (sortSignatures(found.unknown, log).unknown.length > 0) return cosignatures.unknown
  return found.cosignatures.length > 0 ? found.cosignatures : cosignatures.none
}

function sayCosignatures(cosigned: readonly Cosignature[], { cosignatures, moment }: VerdictWords): Passed {
  const each = cosigned.map(({ key, timestamp }) => cosignatures.one(plain(key.name), moment(new Date(timestamp * 1_000))))
  return { says: cosignatures.passed(each) }
}

import { createHash, randomBytes } from 'node:crypto'
import { answerTimeStampRequest, makeTimeStampAuthorityKeys } from '../demo/time-stamp-authority.ts'
import { formatCheckpoint } from '../src/evidence/checkpoint.ts'
import { cosign } from '../src/evidence/cosignature.ts'
import { compactJws, entriesSealedAtOnce, signJws } from '../src/evidence/jws.ts'
import { deriveEd25519, deriveEvidenceKeys } from '../src/evidence/keys.ts'
import { formatVerifierKey, signNote, verifierKey } from '../src/evidence/note.ts'
import { formatReceipt, type Receipt } from '../src/evidence/receipt.ts'
import {
  type Audience,
  canonical,
  commitmentOf,
  type EvidenceRecord,
  type Issuer,
  type MessageFacts,
  type RecordedEvent,
  recordOf,
  saltFor,
} from '../src/evidence/record.ts'
import { appendLeaves, hashesIn } from '../src/evidence/tile.ts'
import { readTimeStampResponse, timeStampRequest } from '../src/evidence/time-stamp.ts'
import { inclusionProof, leafHash } from '../src/evidence/tree.ts'
import { type TrustedKeys, toSealKey, trustedKeysOf } from '../src/evidence/trusted-keys.ts'

export const origin = 'post.example/log'
export const letterText = Buffer.from('You have a **bill**.')
export const letterDocument = Buffer.from('%PDF-1.7 the bill')

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const issuer: Issuer = {
  name: 'Digital Post',
  uri: 'https://post.example',
  log: origin,
  people: 'https://one-login.example',
  staff: 'https://staff.example',
  systems: 'https://post.example',
}
const facts: MessageFacts = {
  by: { kind: 'system', id: 'billing', name: 'Billing' },
  door: 'sender-api',
  addressedBy: 'link',
  subject: 'Your bill',
  parts: [
    {
      part: 'text',
      language: 'en',
      subject: 'Your bill',
      size: letterText.length,
      algorithm: 'SHA-256',
      digest: sha256(letterText),
    },
    {
      part: 'main',
      filename: 'bill.pdf',
      mediaType: 'application/pdf',
      size: letterDocument.length,
      algorithm: 'SHA-256',
      digest: sha256(letterDocument),
    },
  ],
  senderName: 'Northfold Council',
  serviceName: 'Council tax',
  isToService: false,
  recipientName: 'Rosa Example',
}

export type Sample = { receipt: Receipt; file: Buffer; record: EvidenceRecord; trusted: TrustedKeys }
export type SampleOptions = {
  audience?: Audience
  type?: RecordedEvent['type']
  facts?: RecordedEvent['facts']
  at?: Date
  /** When it is time-stamped, and cosigned; undefined: it is not. */
  stampedAt?: Date | undefined
  cosignedAt?: Date | undefined
  secret?: Buffer
  salt?: Buffer
}

const authority = makeTimeStampAuthorityKeys(new Date('2026-11-05T00:00:00Z'))

/** A receipt as an installation would issue it, of a letter to Rosa, without any installation. */
export async function sampleReceipt(options: SampleOptions = {}): Promise<Sample> {
  const { audience = 'recipient', type = 'message.available', secret = Buffer.alloc(32, 7) } = options
  const { at = new Date('2026-11-05T10:00:00.123Z'), salt = Buffer.alloc(64, 3) } = options
  const { stampedAt, cosignedAt } = {
    stampedAt: new Date(at.getTime() + 1_000),
    cosignedAt: new Date(at.getTime() + 2_000),
    ...options,
  }
  const keys = deriveEvidenceKeys(secret)
  const event: RecordedEvent = {
    id: '0f8fad5b-d9cb-469f-a165-70867728950e',
    type,
    at,
    messageId: '01a20931-4de4-74b1-9b9c-593ca10ca006',
    reference: 'CT-2026-1',
    facts: options.facts ?? (type === 'message.accepted' ? facts : null),
  }
  const isAlone = type === 'message.rejected' || type.startsWith('service.')
  const soFar = { accepted: isAlone ? undefined : { facts, at }, previousId: null, ordinal: 1 }
  const records = (['sender', 'recipient'] as const).map((each) => recordOf(each, event, soFar, issuer))
  const commitments = records.map((each) => commitmentOf(canonical(each), saltFor(each.audience, salt)))
  const side = audience === 'sender' ? 0 : 1
  const index = 41
  const entries = Array.from({ length: 300 }, (_, place) => (place === index ? commitments[side]! : randomBytes(32)))
  const first = index - (index % entriesSealedAtOnce)
  const payload = Buffer.concat(entries.slice(first, first + entriesSealedAtOnce))
  const seal = compactJws(keys.seal.keyId, 'dp-evidence+jws', payload, await signJws(keys.seal, 'dp-evidence+jws', payload))
  const leaves = entries.map(leafHash)
  const { size, root, tiles } = appendLeaves([], 0, leaves)
  const text = formatCheckpoint({ origin, size, root })
  const witnessKey = deriveEd25519(secret, 'witness')
  const witness = formatVerifierKey(verifierKey('witness.example', 4, witnessKey))
  const cosignatures = cosignedAt ? [cosign(text, 'witness.example', witnessKey, cosignedAt)] : []
  const { certificatePem } = await authority
  const trusted = trustedKeysOf(keys, origin, { witnesses: [witness], timeStampAuthorities: [certificatePem] })
  const receipt: Receipt = {
    record: canonical(records[side]),
    salt: saltFor(audience, salt),
    seal,
    ...(stampedAt ? { timeStamp: await stamp(Buffer.from(text), stampedAt) } : {}),
    keys: {
      seal: toSealKey(keys.sealKeys.get(keys.seal.keyId)!, keys.seal.keyId),
      log: trusted.log[0]!,
      witnesses: cosignedAt ? [witness] : [],
      ...(stampedAt ? { timeStampAuthority: certificatePem } : {}),
    },
    index,
    path: inclusionProof(index, size, hashesIn(tiles)),
    note: { text, signatures: [signNote(text, origin, keys.log), ...cosignatures] },
  }
  return { receipt, file: Buffer.from(formatReceipt(receipt)), record: records[side]!, trusted }
}

async function stamp(data: Buffer, at: Date): Promise<Buffer> {
  const nonce = randomBytes(8)
  const answer = await answerTimeStampRequest(await authority, timeStampRequest(data, nonce), at)
  return Buffer.from(readTimeStampResponse(answer, data, nonce) as Uint8Array)
}

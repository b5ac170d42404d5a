import { createHash, type KeyObject } from 'node:crypto'
import { compactJws, signJws, verifyJws } from './jws.ts'
import type { EvidenceKeys } from './keys.ts'
import { canonical, type Issuer } from './record.ts'

/**
 * What one batch of the log holds, sealed with the key that no database holds: whoever deletes an event together with
 * its seal leaves a batch that has one too few.
 */
export type Batch = {
  origin: string
  sizeBefore: number
  size: number
  /** Of the tree of `size`, in hexadecimal. */
  root: string
  /** RFC 3339. */
  at: string
  /** How many events the batch seals. */
  events: number
  /** SHA-256, in hexadecimal, over the commitments of its events in the order of their positions, the sender's before the recipient's. */
  digest: string
  /** As all records of the batch have it. */
  issuer: Issuer
}

export function digestOfCommitments(commitments: readonly Buffer[]): string {
  const digest = createHash('sha256')
  for (const commitment of commitments) digest.update(commitment)
  return digest.digest('hex')
}

export async function sealBatch({ seal }: EvidenceKeys, batch: Batch): Promise<string> {
  const payload = Buffer.from(canonical(batch))
  return compactJws(seal.keyId, 'dp-batch+jws', payload, await signJws(seal, 'dp-batch+jws', payload))
}

/** What the seal is over, unchecked. It is ours: it comes from the database. */
export function readBatch(jws: string): Batch {
  return JSON.parse(Buffer.from(jws.split('.')[1]!, 'base64url').toString()) as Batch
}

/** The batch, if one of these keys sealed it. */
export function checkBatch(jws: string, sealKeys: ReadonlyMap<string, KeyObject>): Batch | undefined {
  const [header = '', payload = '', signature = ''] = jws.split('.').map((part) => Buffer.from(part, 'base64url'))
  try {
    const { kid } = JSON.parse(header.toString()) as { kid: string }
    const key = sealKeys.get(kid)
    return key && verifyJws(key, kid, 'dp-batch+jws', Buffer.from(payload), Buffer.from(signature)) ? readBatch(jws) : undefined
  } catch {
    return undefined
  }
}

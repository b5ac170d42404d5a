import type { Config } from '../config.ts'
import type { Database } from '../database/connect.ts'
import { readWithin } from '../database/scope.ts'
import { formatVerifierKey, parseVerifierKey, signatureTypes, type VerifierKey } from './note.ts'
import { witnessStandInKey } from './witness-stand-in.ts'

export type Witness = { url: string; key: VerifierKey }

/** Who vouches for the log from outside: witnesses cosign its checkpoints, and an authority stamps them with the time. */
export type Attestors = { witnesses: readonly Witness[]; timeStamp: { url: string; certificates: readonly string[] } | undefined }

/** As the settings name them, stand-ins of a demo among them. Throws an error with a sentence where a witness's key is none. */
export function readAttestors({ witnesses, timeStamp }: Config['evidence'], secretKey: Buffer): Attestors {
  return {
    witnesses: witnesses.map(({ url, key: text }) => {
      const key = text === undefined ? witnessStandInKey(secretKey) : parseVerifierKey(text)
      if (key?.type === signatureTypes.cosignature) return { url, key }
      throw new Error('one of the verifier keys has another id than it should, or is for notes and not for cosignatures.')
    }),
    timeStamp,
  }
}

/** Where the certificate and the key of a demo's time-stamp authority are kept. */
export const timeStampMemory = 'time-stamp authority'

/** What whoever checks evidence must know of them: verifier keys, and the certificates in PEM to which time stamps lead. */
export async function publicKeysOf(
  db: Database,
  { witnesses, timeStamp }: Attestors,
): Promise<{ witnesses: string[]; timeStampAuthorities: string[] }> {
  return {
    witnesses: witnesses.map(({ key }) => formatVerifierKey(key)),
    timeStampAuthorities: [...(timeStamp?.certificates.length === 0 ? await readStandIn(db) : (timeStamp?.certificates ?? []))],
  }
}

/** None before it was first asked. */
async function readStandIn(db: Database): Promise<string[]> {
  const rows = await readWithin<{ certificate: string }>(
    db,
    { purpose: 'evidence' },
    db`select value ->> 'certificatePem' as certificate from stand_in_memory where name = ${timeStampMemory}`,
  )
  return rows.map(({ certificate }) => certificate)
}

import type { Database } from '../database/connect.ts'
import { within } from '../database/scope.ts'
import { deriveEd25519, type EvidenceKeys, logVerifierKeys } from './keys.ts'
import { signatureTypes, type VerifierKey, verifierKey } from './note.ts'
import type { Tree } from './tree.ts'
import { answerAddCheckpoint, parseAddCheckpoint, type WitnessAnswer } from './witness.ts'

const name = 'witness.example/demo'

const privateKeyOf = (secretKey: Buffer) => deriveEd25519(secretKey, 'witness stand-in')

/** By which the cosignatures of a demo's own witness are known. */
export function witnessStandInKey(secretKey: Buffer): VerifierKey {
  return verifierKey(name, signatureTypes.cosignature, privateKeyOf(secretKey))
}

type Memory = { size?: number; root?: string }

/**
 * A witness for demo and tests, with the memory of a real one: it cosigns this installation's log only, and never two that do not
 * continue each other. What it has seen is committed when this returns, and one request is answered after another.
 */
export async function answerAsWitness(
  db: Database,
  { secretKey, keys }: { secretKey: Buffer; keys: EvidenceKeys },
  body: Uint8Array,
  now: Date,
): Promise<WitnessAnswer> {
  const request = parseAddCheckpoint(body)
  const witness = { name, privateKey: privateKeyOf(secretKey) }
  return within(db, { purpose: 'evidence' }, async (sql) => {
    const [log] = await sql<{ origin: string }[]>`select origin from log_state where origin = ${request?.checkpoint.origin ?? ''}`
    if (log === undefined) return answerAddCheckpoint(request, undefined, undefined, witness, now)
    const memory = `witness of ${log.origin}`
    await sql`insert into stand_in_memory (name, value) values (${memory}, '{}') on conflict do nothing`
    const [{ value }] = await sql<[{ value: Memory }]>`select value from stand_in_memory where name = ${memory} for update`
    const answer = answerAddCheckpoint(request, logVerifierKeys(keys, log.origin), treeIn(value), witness, now)
    if (answer.remember) {
      const { size, root } = answer.remember
      const seen: Memory = { size, root: root.toString('base64') }
      await sql`update stand_in_memory set value = ${sql.json(seen)} where name = ${memory}`
    }
    return answer
  })
}

function treeIn({ size, root }: Memory): Tree | undefined {
  return size === undefined || root === undefined ? undefined : { size, root: Buffer.from(root, 'base64') }
}

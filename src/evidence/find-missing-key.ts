import { decodeProtectedHeader } from 'jose'
import type { Database } from '../database/connect.ts'
import { readWithin } from '../database/scope.ts'
import { parseCheckpoint } from './checkpoint.ts'
import { type EvidenceKeys, logVerifierKeys } from './keys.ts'
import { parseNote, sortSignatures } from './note.ts'

/**
 * Which list of the keys lacks the one by which the log was sealed or signed last, so that who has these could make no receipt of what is there, nor
 * publish by what it is checked. Undefined where neither does, or nothing is in the log yet. What is older the auditor looks at.
 */
export async function findMissingKey(db: Database, keys: EvidenceKeys): Promise<'formerSealKeys' | 'formerLogKeys' | undefined> {
  const [newest] = await readWithin<{ note: string; batch: string }>(
    db,
    { purpose: 'evidence' },
    db`select note, batch from log_checkpoint order by size desc limit 1`,
  )
  if (newest === undefined) return undefined
  if (!keys.sealKeys.has(decodeProtectedHeader(newest.batch).kid!)) return 'formerSealKeys'
  const { text, signatures } = parseNote(newest.note)!
  const { origin } = parseCheckpoint(text)!
  return sortSignatures(signatures, logVerifierKeys(keys, origin)).known.length === 0 ? 'formerLogKeys' : undefined
}

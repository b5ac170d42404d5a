import type { Database } from '../database/connect.ts'
import { readWithin } from '../database/scope.ts'
import { decodeEntries, encodeEntries, type TilePath, tileWidth, widthAt } from './tile.ts'
import { hashLength } from './tree.ts'

const scope = { purpose: 'evidence' } as const

/** The newest checkpoint as a signed note, with the cosignatures that it has by now. Undefined where nothing is in the log yet. */
export async function readCheckpoint(db: Database): Promise<string | undefined> {
  const [newest] = await readWithin<{ note: string }>(
    db,
    scope,
    db`select note || array_to_string(cosignatures, '') as note from log_checkpoint order by size desc limit 1`,
  )
  return newest?.note
}

/** The name under which the log signs, from its first start on. */
export async function readOrigin(db: Database): Promise<string | undefined> {
  const [state] = await readWithin<{ origin: string }>(db, scope, db`select origin from log_state`)
  return state?.origin
}

/**
 * The bytes of a tile or an entry bundle. One that has become wider since is cut to what is asked for, which never changes.
 * Undefined where the newest checkpoint does not reach that far.
 */
export async function readLogFile(db: Database, { level, index, width }: TilePath): Promise<Buffer | undefined> {
  const stored =
    level === 'entries'
      ? db`select bytes from log_entries where index = ${index}`
      : db`select bytes from log_tile where level = ${level} and index = ${index}`
  const [file] = await readWithin<{ bytes: Buffer; size: string }>(
    db,
    scope,
    db`select bytes, (select max(size) from log_checkpoint) as size from (${stored}) as stored`,
  )
  if (!file || width > widthAt({ level: level === 'entries' ? 0 : level, index }, Number(file.size))) return undefined
  if (level !== 'entries') return file.bytes.subarray(0, width * hashLength)
  return width === tileWidth ? file.bytes : encodeEntries(decodeEntries(file.bytes)!.slice(0, width))
}

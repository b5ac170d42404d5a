import type { Db } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { readWithin, type Scope } from '../database/scope.ts'

/** A file's bytes, or undefined. Whoever calls has seen that the reader may read the message that the file is part of. */
export async function readFileBytes(db: Db, scope: Scope, mailboxId: string, fileId: string): Promise<Buffer | undefined> {
  const [row] = await readWithin<{ bytes: Buffer }>(
    db,
    scope,
    db`select bytes from file where ${own(db, db`mailbox_id = ${mailboxId}`)} and id = ${fileId}`,
  )
  return row?.bytes
}

import type { Db } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { readWithin, type Scope } from '../database/scope.ts'
import type { StoredFile } from './document.ts'

/**
 * A file's bytes, or undefined: in pieces of 1 MB at most where they are an upload's, each read when it is taken. Whoever calls has seen that the
 * reader may read the message that the file is part of.
 */
export async function readFile(
  db: Db,
  scope: Scope,
  mailboxId: string,
  { id, size }: Pick<StoredFile, 'id' | 'size'>,
): Promise<AsyncIterable<Buffer> | undefined> {
  const [row] = await readWithin<{ bytes: Buffer | null; senderId: string; uploadId: string }>(
    db,
    scope,
    db`
    select bytes, upload_sender_id as sender_id, upload_id from file
    where ${own(db, db`mailbox_id = ${mailboxId}`)} and id = ${id}`,
  )
  if (row === undefined) return undefined
  const { bytes, senderId, uploadId } = row
  return bytes ? whole(bytes) : readUpload(db, { ...scope, fileIn: mailboxId }, { senderId, id: uploadId, size })
}

async function* whole(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes
}

/** The first `size` bytes of an upload, piece by piece. Throws where one is missing, so that a part is never taken for the whole. */
export async function* readUpload(
  db: Db,
  scope: Scope,
  { senderId, id, size }: { senderId: string; id: string; size: number },
): AsyncGenerator<Buffer> {
  for (let at = 0; at < size; ) {
    const [chunk] = await readWithin<{ bytes: Buffer }>(
      db,
      scope,
      db`select bytes from upload_chunk where sender_id = ${senderId} and upload_id = ${id} and starts_at = ${at}`,
    )
    if (chunk === undefined) throw new Error('A part of a document is not there.')
    yield chunk.bytes
    at += chunk.bytes.length
  }
}

import type { Actor } from '../access/actor.ts'
import type { Db } from '../database/connect.ts'
import { within } from '../database/scope.ts'
import { checkFlow } from '../documents/check.ts'
import { readUpload } from '../documents/read.ts'
import { Problem } from '../problems.ts'
import { findUpload } from './find-uploads.ts'
import type { Upload } from './upload.ts'

/** A row of upload_chunk has so much at most, and so much is in memory at once. */
const chunkBytes = 1024 * 1024

/** `length`: how many bytes will come, where that is known. */
export type Part = { id: string; offset: number; length: number | undefined; bytes: AsyncIterable<Buffer> }

/**
 * Adds bytes to an upload at its end, and answers how far it is. Each piece is kept as it comes: where the bytes end early, what came is
 * there to go on from. Of two at once, and after a kill, only what fits the end is taken (`upload-offset-wrong`), so that no byte is there twice. With the last
 * byte it is complete, and checked. A document that is not as it should be is gone, and the problem says why: `file-type-mismatch`,
 * `upload-digest-wrong`, `upload-longer`. Throws `not-found`.
 */
export async function appendToUpload(db: Db, actor: Actor, { id, offset, length, bytes }: Part): Promise<Upload> {
  const upload = await findUpload(db, actor, id)
  if (upload.received !== offset) throw new Problem('upload-offset-wrong')
  try {
    return await append(db, upload, length, bytes)
  } catch (error) {
    if (error instanceof Problem && error.code !== 'upload-offset-wrong') await remove(db, upload)
    throw error
  }
}

async function append(db: Db, upload: Upload, length: number | undefined, bytes: AsyncIterable<Buffer>): Promise<Upload> {
  const { senderId, id, size, received, declaredSha256 } = upload
  const scope = { senders: [senderId] }
  // A check is of all bytes from the first. In the middle there is nothing to see, and the last part reads again what was there.
  const mayComplete = length === undefined || received + length >= size
  const check = upload.sha256 === null && (received === 0 || mayComplete) ? checkFlow(upload.mediaType, size) : undefined
  for await (const piece of received > 0 && check ? readUpload(db, scope, { senderId, id, size: received }) : [])
    await check!.take(piece)
  let at = received
  let { sha256 } = upload
  for await (const chunk of inChunks(bytes, size - received)) {
    await check?.take(chunk)
    if (at + chunk.length === size) sha256 = check!.end()
    if (sha256 !== null && declaredSha256 !== null && sha256 !== declaredSha256) throw new Problem('upload-digest-wrong')
    await keep(db, upload, at, chunk, sha256)
    at += chunk.length
  }
  return { ...upload, received: at, sha256 }
}

async function keep(db: Db, { senderId, id }: Upload, at: number, chunk: Buffer, sha256: string | null): Promise<void> {
  await within(db, { senders: [senderId] }, async (sql) => {
    const { count } = await sql`
      update upload set received = ${at + chunk.length}, sha256 = ${sha256}
      where sender_id = ${senderId} and id = ${id} and received = ${at} and sha256 is null`
    if (count === 0) throw new Problem('upload-offset-wrong')
    await sql`insert into upload_chunk (sender_id, upload_id, starts_at, bytes) values (${senderId}, ${id}, ${at}, ${chunk})`
  })
}

async function remove(db: Db, { senderId, id }: Upload): Promise<void> {
  await within(
    db,
    { senders: [senderId] },
    (sql) => sql`delete from upload where sender_id = ${senderId} and id = ${id} and sha256 is null`,
  )
}

/**
 * Bytes in pieces of the same size, the last smaller. All are in one buffer, one after another: take a copy of what is to stay. Where their source breaks, what came of it
 * is the last piece. Throws `upload-longer` where more come than `most`, before the last piece of these is given: it may be thought to be the last of all.
 */
async function* inChunks(bytes: AsyncIterable<Buffer>, most: number): AsyncGenerator<Buffer> {
  const chunk = Buffer.allocUnsafeSlow(chunkBytes)
  let [length, came] = [0, 0]
  const source = bytes[Symbol.asyncIterator]()
  try {
    for (;;) {
      const next = await source.next().catch(() => ({ done: true as const, value: undefined }))
      if (next.done) break
      came += next.value.length
      if (came > most) throw new Problem('upload-longer')
      for (let from = 0; from < next.value.length; ) {
        if (length === chunkBytes) {
          yield chunk
          length = 0
        }
        const copied = next.value.copy(chunk, length, from)
        from += copied
        length += copied
      }
    }
    if (length > 0) yield chunk.subarray(0, length)
  } finally {
    await source.return?.()
  }
}

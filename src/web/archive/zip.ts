import { Zip, ZipDeflate, ZipPassThrough } from 'fflate'

/** A file of an archive. What was made here is packed; documents are stored as they are, and most of them are packed already. */
export type Entry = { name: string; bytes: Uint8Array; at: Date; isPacked: boolean }

const chunkBytes = 256 * 1024

/**
 * A ZIP file, as it grows: one file at a time is in memory, and nothing is made before somebody takes it. Without Zip64: whoever
 * calls keeps it under 4 GB and 65,535 files.
 */
export async function* zip(entries: AsyncIterable<Entry>): AsyncGenerator<Uint8Array> {
  const ready: Uint8Array[] = []
  let failure: Error | undefined
  const archive = new Zip((error, chunk) => {
    if (error) failure = error
    else ready.push(chunk)
  })
  function* take() {
    if (failure !== undefined) throw failure
    yield* ready.splice(0)
  }
  for await (const { name, bytes, at, isPacked } of entries) {
    const file = isPacked ? new ZipDeflate(name, { level: 6 }) : new ZipPassThrough(name)
    file.mtime = at
    archive.add(file)
    // In pieces, so that others get their turn in between.
    for (let start = 0; start === 0 || start < bytes.length; start += chunkBytes) {
      const end = start + chunkBytes
      file.push(bytes.subarray(start, end) as Uint8Array<ArrayBuffer>, end >= bytes.length)
      yield* take()
    }
  }
  archive.end()
  yield* take()
}

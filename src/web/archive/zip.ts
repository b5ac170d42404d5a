import { crc32, deflateRawSync } from 'node:zlib'
import { Zip, type ZipInputFile } from 'fflate'

/** A file of an archive. What was made here is packed; documents are stored as they are, and most of them are packed already. */
export type Entry = { name: string; bytes: Uint8Array; at: Date; isPacked: boolean }

const chunkBytes = 256 * 1024
const [stored, deflated] = [0, 8]

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
    // Node packs and sums up several times as fast as a script does.
    const packed = isPacked ? deflateRawSync(bytes) : bytes
    const file: ZipInputFile = {
      filename: name,
      size: bytes.length,
      crc: crc32(bytes),
      compression: isPacked ? deflated : stored,
      mtime: at,
    }
    archive.add(file)
    for (let start = 0; start === 0 || start < packed.length; start += chunkBytes) {
      const end = start + chunkBytes
      file.ondata!(null, packed.subarray(start, end) as Uint8Array<ArrayBuffer>, end >= packed.length)
      yield* take()
    }
  }
  archive.end()
  yield* take()
}

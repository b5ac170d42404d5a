import { crc32, deflateRawSync } from 'node:zlib'
import { Zip, type ZipInputFile } from 'fflate'

/**
 * A file of an archive. What was made here is packed; documents are stored as they are, as they come piece by piece, and most of them are
 * packed already.
 */
export type Entry = { name: string; at: Date } & ({ packed: Uint8Array } | { stored: AsyncIterable<Uint8Array> })

const [stored, deflated] = [0, 8]

/**
 * A ZIP file, as it grows: one piece of a file at a time is in memory, and nothing is made before somebody takes it. Without Zip64: whoever
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
  for await (const entry of entries) {
    const isPacked = 'packed' in entry
    // Size and sum stand behind the bytes: they are known when the last has gone by.
    const file: ZipInputFile = {
      filename: entry.name,
      size: 0,
      crc: 0,
      compression: isPacked ? deflated : stored,
      mtime: entry.at,
    }
    archive.add(file)
    for await (const piece of isPacked ? [entry.packed] : entry.stored) {
      // Node packs and sums up several times as fast as a script does.
      file.crc = crc32(piece, file.crc)
      file.size! += piece.length
      file.ondata!(null, (isPacked ? deflateRawSync(piece) : piece) as Uint8Array<ArrayBuffer>, false)
      yield* take()
    }
    file.ondata!(null, new Uint8Array(), true)
  }
  archive.end()
  yield* take()
}

import { type HashAt, hashLength, nodeHash, type Range, rootAt, rootOf, subtreesOf } from './tree.ts'

/** A full tile is this many hashes wide, and a full bundle holds this many entries (c2sp.org/tlog-tiles). */
export const tileWidth = 256
const tileHeight = 8

/** The n-th tile at a level. Its hash i is that of the complete subtree over 256^level leaves at n * 256 + i. */
export type TileName = { level: number; index: number }

/** `bytes`: from 1 to 256 hashes of 32 bytes, one after the other. Fewer than 256 make it partial. */
export type Tile = TileName & { bytes: Buffer }

export type NeededTile = TileName & { width: number }

/** How many complete subtrees of 256^level leaves a tree has: the hashes in all its tiles at that level. */
function hashesAt(level: number, size: number): number {
  return Math.floor(size / tileWidth ** level)
}

/** How many hashes a tile has in the tree of a size: 0 where there is no such tile, 256 where it is full. */
export function widthAt({ level, index }: TileName, size: number): number {
  return Math.min(tileWidth, Math.max(0, hashesAt(level, size) - index * tileWidth))
}

/** The partial tiles of a tree: what must be known to append to it, and to tell its root. */
export function edgeOf(size: number): NeededTile[] {
  const edge: NeededTile[] = []
  for (let level = 0; hashesAt(level, size) > 0; level += 1) {
    const width = hashesAt(level, size) % tileWidth
    if (width > 0) edge.push({ level, index: Math.floor(hashesAt(level, size) / tileWidth), width })
  }
  return edge
}

/** The tiles that come to be, or become wider, when a tree grows: level by level, each level from left to right. */
export function changedTiles(size: number, newSize: number): NeededTile[] {
  const changed: NeededTile[] = []
  for (let level = 0; hashesAt(level, newSize) > hashesAt(level, size); level += 1) {
    const last = Math.floor((hashesAt(level, newSize) - 1) / tileWidth)
    for (let index = Math.floor(hashesAt(level, size) / tileWidth); index <= last; index += 1) {
      changed.push({ level, index, width: widthAt({ level, index }, newSize) })
    }
  }
  return changed
}

function hashesOf({ bytes }: Tile): Buffer[] {
  return Array.from({ length: bytes.length / hashLength }, (_, i) => bytes.subarray(i * hashLength, (i + 1) * hashLength))
}

export type Appended = {
  size: number
  root: Buffer
  /** Those that are new or wider than before, with whole contents, in the order of `changedTiles`. */
  tiles: Tile[]
  /** The partial tiles of the new tree, changed or not: to be handed in at the next append. */
  edge: Tile[]
}

/**
 * Appends leaves, by their leaf hashes, to a tree of which only the partial tiles are known (`edgeOf(size)` names them). About one
 * node is hashed for each leaf, whatever the size. Throws where a tile of the edge is missing or not as wide as the size says.
 */
export function appendLeaves(edge: readonly Tile[], size: number, leafHashes: readonly Buffer[]): Appended {
  const newSize = size + leafHashes.length
  if (!Number.isSafeInteger(newSize)) throw new RangeError('A log holds fewer than 2^53 entries.')
  const partial = new Map(edgeOf(size).map((needed) => [needed.level, requiredTile(edge, needed)]))
  const tiles: Tile[] = []
  let added = leafHashes
  for (let level = 0; added.length > 0; level += 1) {
    const above: Buffer[] = []
    const before = partial.get(level)
    const hashes = before ? [...hashesOf(before), ...added] : added
    let index = Math.floor(hashesAt(level, size) / tileWidth)
    for (let at = 0; at < hashes.length; at += tileWidth) {
      const inTile = hashes.slice(at, at + tileWidth)
      tiles.push({ level, index, bytes: Buffer.concat(inTile) })
      if (inTile.length === tileWidth) above.push(rootOf(inTile))
      index += 1
    }
    added = above
  }
  const isPartial = ({ bytes }: Tile) => bytes.length < tileWidth * hashLength
  const kept = [...partial.values()].filter((tile) => !tiles.some((changed) => isSame(tile, changed)))
  const newEdge = [...tiles.filter(isPartial), ...kept].sort((a, b) => a.level - b.level)
  return { size: newSize, root: rootAt(newSize, hashesIn(newEdge)), tiles, edge: newEdge }
}

function isSame(a: TileName, b: TileName): boolean {
  return a.level === b.level && a.index === b.index
}

function requiredTile(tiles: readonly Tile[], needed: NeededTile): Tile {
  const tile = tiles.find((candidate) => isSame(candidate, needed))
  if (tile?.bytes.length !== needed.width * hashLength) {
    throw new Error(`Tile ${needed.level}/${needed.index} should be here, ${needed.width} hashes wide.`)
  }
  return tile
}

/**
 * The tiles that these ranges of a tree need, each once, as wide as they are at that size. The ranges are those of one proof or
 * of many (`inclusionRanges`, `consistencyRanges`), or [0, size] for the root. Fetch them, then compute with `hashesIn`:
 *
 *     const names = tilesFor(inclusionRanges(index, size), size)
 *     const proof = inclusionProof(index, size, hashesIn(await fetch(names)))
 */
export function tilesFor(ranges: readonly Range[], size: number): NeededTile[] {
  const names = new Map<string, NeededTile>()
  for (const subtree of ranges.flatMap(subtreesOf)) {
    const level = Math.floor(subtree.level / tileHeight)
    const firstHash = subtree.index * 2 ** (subtree.level % tileHeight)
    const name = { level, index: Math.floor(firstHash / tileWidth) }
    names.set(keyOf(name), { ...name, width: widthAt(name, size) })
  }
  return [...names.values()]
}

const keyOf = ({ level, index }: TileName) => `${level}/${index}`

/**
 * The subtree hashes that these tiles hold, for the proofs and roots of tree.ts. A tile may be wider than the tree of the proof
 * needs. Asked for one that is in none of them, it throws. What lies between the levels of the tiles is hashed once and
 * remembered, so one reader is worth keeping for many proofs over the same tiles, and no longer.
 */
export function hashesIn(tiles: readonly Tile[]): HashAt {
  const bytesOf = new Map(tiles.map((tile) => [keyOf(tile), tile.bytes]))
  const between = new Map<string, Buffer>()
  const hashAt: HashAt = (level, index) => {
    if (level % tileHeight === 0) {
      const name = { level: level / tileHeight, index: Math.floor(index / tileWidth) }
      const start = (index % tileWidth) * hashLength
      const found = bytesOf.get(keyOf(name))?.subarray(start, start + hashLength)
      if (found?.length !== hashLength) throw new Error(`Tile ${keyOf(name)} should be here, with hash ${index % tileWidth}.`)
      return found
    }
    const key = `${level}/${index}`
    const known = between.get(key)
    if (known) return known
    const made = nodeHash(hashAt(level - 1, 2 * index), hashAt(level - 1, 2 * index + 1))
    between.set(key, made)
    return made
  }
  return hashAt
}

/** A tile or an entry bundle, as its address says. `width` is 256 where it is full. */
export type TilePath = { level: number | 'entries'; index: number; width: number }

/** Under the log's prefix: `tile/<L>/<N>[.p/<W>]`, with N in groups of three digits, all but the last after an `x`. */
export function formatTilePath({ level, index, width }: TilePath): string {
  const digits = String(index)
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/\d{3}/g)!
  const path = groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join('/')
  return `tile/${level}/${path}${width < tileWidth ? `.p/${width}` : ''}`
}

/** Undefined for whatever `formatTilePath` does not write: leading zeros, a width of 0 or 256, a level above 63, and all else. */
export function parseTilePath(path: string): TilePath | undefined {
  const match = /^tile\/(entries|\d{1,2})\/((?:x\d{3}\/){0,5}\d{3})(?:\.p\/(\d{1,3}))?$/.exec(path)
  if (!match) return undefined
  const [, level, groups, width] = match
  const parsed: TilePath = {
    level: level === 'entries' ? level : Number(level),
    index: Number(groups!.replaceAll(/[x/]/g, '')),
    width: width === undefined ? tileWidth : Number(width),
  }
  if (!Number.isSafeInteger(parsed.index) || Number(level) > 63 || parsed.width === 0) return undefined
  return formatTilePath(parsed) === path ? parsed : undefined
}

/** A bundle says the length of an entry in 16 bits. */
export const entryLengthMax = 0xffff

/** Entries one after the other, each after its length as a big-endian uint16. Throws where one is longer than 65,535 bytes. */
export function encodeEntries(entries: readonly Uint8Array[]): Buffer {
  return Buffer.concat(
    entries.flatMap((entry) => {
      if (entry.length > entryLengthMax) throw new RangeError(`An entry has at most ${entryLengthMax} bytes.`)
      return [Buffer.of(entry.length >> 8, entry.length & 0xff), entry]
    }),
  )
}

/** Undefined where it does not end with an entry, or holds none or more than 256. The entries share the bundle's memory. */
export function decodeEntries(bundle: Buffer): Buffer[] | undefined {
  const entries: Buffer[] = []
  let at = 0
  while (at < bundle.length) {
    if (at + 2 > bundle.length || entries.length === tileWidth) return undefined
    const start = at + 2
    at = start + bundle.readUInt16BE(at)
    if (at > bundle.length) return undefined
    entries.push(bundle.subarray(start, at))
  }
  return entries.length === 0 ? undefined : entries
}

/** An entry bundle: the entries whose leaf hashes are in the tile of level 0 with the same index. */
export type Bundle = { index: number; bytes: Buffer }

/**
 * The bundles that are new or longer once these entries follow, with whole contents. `edge` is the partial bundle of the log at
 * that size, and may be left out where the size is a multiple of 256.
 */
export function appendEntries(edge: Buffer | undefined, size: number, entries: readonly Uint8Array[]): Bundle[] {
  const held = size % tileWidth
  const before = edge && held > 0 ? edge : Buffer.alloc(0)
  if (held > 0 && decodeEntries(before)?.length !== held) throw new Error(`The last bundle should be here, with ${held} entries.`)
  const bundles: Bundle[] = []
  for (let at = 0; at < entries.length; ) {
    const index = Math.floor((size + at) / tileWidth)
    const end = (index + 1) * tileWidth - size
    const added = encodeEntries(entries.slice(at, end))
    bundles.push({ index, bytes: at === 0 ? Buffer.concat([before, added]) : added })
    at = end
  }
  return bundles
}

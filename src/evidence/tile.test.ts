import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  type Appended,
  appendEntries,
  appendLeaves,
  type Bundle,
  changedTiles,
  decodeEntries,
  edgeOf,
  encodeEntries,
  formatTilePath,
  hashesIn,
  parseTilePath,
  type Tile,
  tilesFor,
  widthAt,
} from './tile.ts'
import {
  consistencyProof,
  consistencyRanges,
  emptyRoot,
  inclusionProof,
  inclusionRanges,
  leafHash,
  rootOf,
  verifyConsistency,
  verifyInclusion,
} from './tree.ts'

const leaf = (index: number) => leafHash(Buffer.from(`entry ${index}`))
const leaves = Array.from({ length: 70_000 }, (_, index) => leaf(index))
const empty: Appended = { size: 0, root: emptyRoot, tiles: [], edge: [] }
const keyOf = ({ level, index }: { level: number; index: number }) => `${level}/${index}`

/** A log as its keeper has it: rows of (level, index, bytes), written over where a tile has become wider. */
function grow(sizes: readonly number[]): { head: Appended; rows: Map<string, Tile> } {
  const rows = new Map<string, Tile>()
  let head = empty
  for (const size of sizes) {
    head = appendLeaves(head.edge, head.size, leaves.slice(head.size, size))
    for (const tile of head.tiles) rows.set(keyOf(tile), tile)
  }
  return { head, rows }
}

const whole = grow([70_000])
const someSizes = fc.array(fc.integer({ min: 1, max: 2_000 }), { minLength: 1, maxLength: 8 }).map((s) => s.sort((a, b) => a - b))
const size = fc.integer({ min: 1, max: 70_000 })

/** The tiles that a log has at a size, cut out of those of a larger one. */
function fetchAt(names: readonly { level: number; index: number; width: number }[]): Tile[] {
  return names.map(({ level, index, width }) => {
    const bytes = whole.rows.get(`${level}/${index}`)!.bytes.subarray(0, width * 32)
    assert.equal(bytes.length, width * 32)
    return { level, index, bytes }
  })
}

describe('the tiles of a log', () => {
  test('are, at 70,000 entries, those that the specification counts', () => {
    const tiles = [...whole.rows.values()]
    const widths = (level: number) => tiles.filter((tile) => tile.level === level).map(({ bytes }) => bytes.length / 32)
    assert.deepEqual(widths(0), [...Array(273).fill(256), 112])
    assert.deepEqual(widths(1), [256, 17])
    assert.deepEqual(widths(2), [1])
    assert.equal(tiles.length, 277)
    assert.deepEqual(
      edgeOf(256).map(({ level, index, width }) => [level, index, width]),
      [[1, 0, 1]],
    )
  })

  test('hold the hashes that the specification defines', () => {
    for (const { level, index, bytes } of [...whole.rows.values()].filter(({ level, index }) => level > 0 || index % 100 === 0)) {
      for (const i of [0, 1, 16, 111, 255].filter((at) => at < bytes.length / 32)) {
        const span = 256 ** level
        const start = (index * 256 + i) * span
        assert.deepEqual(bytes.subarray(i * 32, (i + 1) * 32), rootOf(leaves.slice(start, start + span)))
      }
    }
  })

  test('are the same however the entries came, and so is the root', () => {
    fc.assert(
      fc.property(someSizes, (sizes) => {
        const { head, rows } = grow(sizes)
        const once = grow([sizes.at(-1)!])
        assert.deepEqual(new Map([...rows].sort()), new Map([...once.rows].sort()))
        assert.deepEqual(head.root, rootOf(leaves.slice(0, head.size)))
        assert.deepEqual(head.edge, once.head.edge)
      }),
      { numRuns: 30 },
    )
  })

  test('change as announced: those tiles, that wide, and no others', () => {
    fc.assert(
      fc.property(size, size, (a, b) => {
        const [from, to] = a < b ? [a, b] : [b, a]
        const { tiles, edge } = appendLeaves(fetchAt(edgeOf(from)), from, leaves.slice(from, to))
        const named = tiles.map(({ level, index, bytes }) => ({ level, index, width: bytes.length / 32 }))
        assert.deepEqual(named, changedTiles(from, to))
        assert.deepEqual(tiles, fetchAt(named))
        assert.deepEqual(edge, fetchAt(edgeOf(to)))
        for (const name of named) assert.ok(widthAt(name, from) < widthAt(name, to))
      }),
      { numRuns: 12 },
    )
  })

  test('stay as they are when nothing is appended', () => {
    const edge = fetchAt(edgeOf(1_000))
    const same = appendLeaves(edge, 1_000, [])
    assert.deepEqual(same, { size: 1_000, root: rootOf(leaves.slice(0, 1_000)), tiles: [], edge })
    assert.deepEqual(appendLeaves([], 0, []), empty)
  })

  test('are not appended to where one of the edge is missing, too narrow or too wide', () => {
    const edge = fetchAt(edgeOf(70_000))
    const narrow = { ...edge[0]!, bytes: edge[0]!.bytes.subarray(32) }
    const wide = { ...edge[0]!, bytes: Buffer.alloc(113 * 32) }
    for (const wrong of [edge.slice(1), edge.slice(0, 2), edge.with(0, narrow), edge.with(0, wide)]) {
      assert.throws(() => appendLeaves(wrong, 70_000, [leaf(70_000)]), /should be here/)
    }
  })

  test('are right beyond 32 bits', () => {
    const large = 2 ** 40 + 300
    const edge = edgeOf(large).map(({ level, index, width }) => ({ level, index, bytes: Buffer.alloc(width * 32, level + 1) }))
    assert.deepEqual(
      edge.map(({ level, index }) => [level, index]),
      [
        [0, 2 ** 32 + 1],
        [1, 2 ** 24],
        [5, 0],
      ],
    )
    const { tiles } = appendLeaves(edge, large, leaves.slice(0, 300))
    assert.deepEqual(
      tiles.map(({ level, index, bytes }) => [level, index, bytes.length / 32]),
      [
        [0, 2 ** 32 + 1, 256],
        [0, 2 ** 32 + 2, 88],
        [1, 2 ** 24, 2],
      ],
    )
    const names = tilesFor(inclusionRanges(2 ** 39 + 5, large), large)
    assert.ok(names.length <= 12 && names.every((name) => name.width > 0))
  })
})

describe('a proof from tiles', () => {
  test('of inclusion needs few tiles, and nothing else', () => {
    fc.assert(
      fc.property(size, fc.nat(), (treeSize, n) => {
        const index = n % treeSize
        const names = tilesFor(inclusionRanges(index, treeSize), treeSize)
        assert.ok(names.length <= 6)
        const path = inclusionProof(index, treeSize, hashesIn(fetchAt(names)))
        const root = appendLeaves(fetchAt(edgeOf(treeSize)), treeSize, []).root
        assert.ok(verifyInclusion(leaves[index]!, index, path, { size: treeSize, root }))
      }),
    )
  })

  test('of consistency likewise', () => {
    const treeOf = (at: number) => ({ size: at, root: appendLeaves(fetchAt(edgeOf(at)), at, []).root })
    fc.assert(
      fc.property(size, size, (a, b) => {
        const [from, to] = a < b ? [a, b] : [b, a]
        const names = tilesFor(consistencyRanges(from, to), to)
        assert.ok(names.length <= 6)
        assert.ok(verifyConsistency(treeOf(from), treeOf(to), consistencyProof(from, to, hashesIn(fetchAt(names)))))
      }),
    )
  })

  test('may be made from tiles that have become wider since, and many from the same', () => {
    const rows = [...whole.rows.values()]
    const hashAt = hashesIn(rows)
    const root = rootOf(leaves.slice(0, 1_234))
    for (let index = 0; index < 1_234; index += 7) {
      assert.ok(verifyInclusion(leaves[index]!, index, inclusionProof(index, 1_234, hashAt), { size: 1_234, root }))
    }
  })

  test('is refused where a tile is missing or too narrow', () => {
    const tiles = fetchAt(tilesFor(inclusionRanges(5, 300), 300))
    assert.throws(() => inclusionProof(5, 300, hashesIn(tiles.slice(1))), /Tile 0\/0 should be here/)
    const narrow = { ...tiles[0]!, bytes: tiles[0]!.bytes.subarray(0, 5 * 32 + 31) }
    assert.throws(() => inclusionProof(5, 300, hashesIn(tiles.with(0, narrow))), /should be here/)
  })
})

describe('the path of a tile', () => {
  test('writes its index in groups of three digits', () => {
    assert.equal(formatTilePath({ level: 0, index: 1_234_067, width: 256 }), 'tile/0/x001/x234/067')
    assert.equal(formatTilePath({ level: 1, index: 0, width: 17 }), 'tile/1/000.p/17')
    assert.equal(formatTilePath({ level: 'entries', index: 1_000, width: 1 }), 'tile/entries/x001/000.p/1')
  })

  test('reads back as what was written', () => {
    const level = fc.oneof(fc.constant('entries' as const), fc.integer({ min: 0, max: 63 }))
    fc.assert(
      fc.property(level, fc.maxSafeNat(), fc.integer({ min: 1, max: 256 }), (level, index, width) => {
        assert.deepEqual(parseTilePath(formatTilePath({ level, index, width })), { level, index, width })
      }),
    )
  })

  test('is nothing where it is not written just so', () => {
    const wrong = [
      ...[
        '',
        'tile',
        'tile/0',
        'tile/0/',
        'tile/0/00',
        'tile/0/0000',
        'tile/0/x00/000',
        'tile/0/000/',
        '/tile/0/000',
        'tile/0/000\n',
      ],
      ...[
        'tile/0/x000/000',
        'tile/0/001/234',
        'tile/0/x001/x234',
        'tile/0/X001/234',
        'tile/0/x001x234',
        'tile//000',
        'tile/0//000',
      ],
      ...['tile/64/000', 'tile/00/000', 'tile/01/000', 'tile/-1/000', 'tile/entry/000', 'tile/100/000', 'tile/٠/000'],
      ...[
        'tile/0/000.p/0',
        'tile/0/000.p/00',
        'tile/0/000.p/01',
        'tile/0/000.p/256',
        'tile/0/000.p/',
        'tile/0/000.p',
        'tile/0/000p/5',
      ],
      ...['tile/0/x009/x007/x199/x254/x740/992', 'tile/0/x001/x000/x000/x000/x000/x000/000', 'tile/0/000?', 'tile/0/%30'],
    ]
    for (const path of wrong) assert.equal(parseTilePath(path), undefined, path)
    assert.equal(parseTilePath(`tile/0/${'x001/'.repeat(1_000_000)}000`), undefined)
    fc.assert(
      fc.property(fc.string(), fc.stringMatching(/^[x0-9./p]{0,24}$/), (a, b) => {
        for (const path of [a, `tile/${b}`, `tile/0/${b}`]) {
          const parsed = parseTilePath(path)
          if (parsed) assert.equal(formatTilePath(parsed), path)
        }
      }),
    )
  })
})

const someEntries = fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 256 })

describe('an entry bundle', () => {
  test('says the length of each entry in two bytes, the higher first', () => {
    const bundle = encodeEntries([Buffer.from('ab'), Buffer.alloc(0), Buffer.alloc(258, 1)])
    assert.equal(bundle.subarray(0, 9).toString('hex'), '000261620000010201')
    assert.equal(bundle.length, 2 + 2 + 2 + 2 + 258)
    assert.throws(() => encodeEntries([Buffer.alloc(65_536)]), RangeError)
    assert.equal(decodeEntries(encodeEntries([Buffer.alloc(65_535)]))![0]!.length, 65_535)
  })

  test('gives back the entries that were put in', () => {
    fc.assert(
      fc.property(someEntries, (entries) => {
        assert.deepEqual(decodeEntries(encodeEntries(entries)), entries.map(Buffer.from))
      }),
    )
  })

  test('is nothing where it is cut off, is empty or holds more than 256', () => {
    fc.assert(
      fc.property(someEntries, fc.nat(), (entries, n) => {
        const bundle = encodeEntries(entries)
        const cut = decodeEntries(bundle.subarray(0, n % bundle.length))
        assert.ok(cut === undefined || cut.length < entries.length)
      }),
    )
    assert.equal(decodeEntries(Buffer.alloc(0)), undefined)
    assert.equal(decodeEntries(Buffer.alloc(1)), undefined)
    assert.equal(decodeEntries(Buffer.alloc(512))!.length, 256)
    assert.equal(decodeEntries(Buffer.alloc(514)), undefined)
  })

  test('grows until it is full, however the entries come', () => {
    const entries = Array.from({ length: 2_000 }, (_, i) => hash('sha256', `${i}`, 'buffer').subarray(0, 1 + (i % 32)))
    fc.assert(
      fc.property(someSizes, (sizes) => {
        const rows = new Map<number, Bundle>()
        let size = 0
        for (const next of sizes) {
          const edge = rows.get(Math.floor(size / 256))?.bytes
          for (const bundle of appendEntries(edge, size, entries.slice(size, next))) rows.set(bundle.index, bundle)
          size = next
        }
        assert.deepEqual(
          [...rows.values()].flatMap(({ bytes }) => decodeEntries(bytes)!),
          entries.slice(0, size),
        )
        assert.deepEqual([...rows.keys()], [...Array(Math.ceil(size / 256)).keys()])
      }),
      { numRuns: 30 },
    )
  })

  test('is not appended to where the one at the edge is missing or another', () => {
    assert.throws(() => appendEntries(undefined, 5, [Buffer.alloc(1)]), /with 5 entries/)
    assert.throws(() => appendEntries(Buffer.alloc(8), 5, [Buffer.alloc(1)]), /with 5 entries/)
  })
})

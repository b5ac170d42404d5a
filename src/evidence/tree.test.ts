import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  consistencyProof,
  consistencyRanges,
  emptyRoot,
  type HashAt,
  inclusionProof,
  inclusionRanges,
  leafHash,
  nodeHash,
  rootAt,
  rootOf,
  subtreesOf,
  verifyConsistency,
  verifyInclusion,
} from './tree.ts'

/** RFC 6962, section 2.1, word for word and without any thought of speed. */
const sha256 = (...parts: Uint8Array[]) => hash('sha256', Buffer.concat(parts), 'buffer')
const split = (n: number) => 2 ** (Math.ceil(Math.log2(n)) - 1)
function mth(entries: readonly Buffer[]): Buffer {
  if (entries.length === 0) return sha256()
  if (entries.length === 1) return sha256(Buffer.of(0), entries[0]!)
  const k = split(entries.length)
  return sha256(Buffer.of(1), mth(entries.slice(0, k)), mth(entries.slice(k)))
}
function path(m: number, entries: readonly Buffer[]): Buffer[] {
  if (entries.length === 1) return []
  const k = split(entries.length)
  const [left, right] = [entries.slice(0, k), entries.slice(k)]
  return m < k ? [...path(m, left), mth(right)] : [...path(m - k, right), mth(left)]
}
function subproof(m: number, entries: readonly Buffer[], isWhole: boolean): Buffer[] {
  if (m === entries.length) return isWhole ? [] : [mth(entries)]
  const k = split(entries.length)
  const [left, right] = [entries.slice(0, k), entries.slice(k)]
  return m <= k ? [...subproof(m, left, isWhole), mth(right)] : [...subproof(m - k, right, false), mth(left)]
}

const entriesOf = (size: number) => Array.from({ length: size }, (_, i) => Buffer.from(`entry ${i}`))
const allEntries = entriesOf(700)
const allLeaves = allEntries.map(leafHash)

/** Every complete subtree of the leaves, made once. */
const levels = [allLeaves]
while (levels.at(-1)!.length > 1) {
  const below = levels.at(-1)!
  levels.push(Array.from({ length: Math.floor(below.length / 2) }, (_, i) => nodeHash(below[2 * i]!, below[2 * i + 1]!)))
}
const hashAt: HashAt = (level, index) => levels[level]![index]!
const roots = Array.from({ length: 701 }, (_, size) => rootAt(size, hashAt))
const treeOf = (size: number) => ({ size, root: roots[size]! })

/** Every proof that is nearly this one: a bit of any byte turned, two hashes exchanged, one dropped, doubled or added. */
function* mutationsOf(proof: readonly Buffer[]): Generator<Buffer[]> {
  for (const [at, bytes] of proof.entries()) {
    for (const byte of bytes.keys()) {
      const changed = Buffer.from(bytes)
      changed[byte]! ^= 1 << (byte % 8)
      yield proof.with(at, changed)
    }
    yield proof.toSpliced(at, 1)
    yield proof.toSpliced(at, 0, bytes)
    yield proof.with(at, bytes.subarray(1))
    if (at > 0) yield proof.with(at, proof[at - 1]!).with(at - 1, bytes)
  }
  yield [...proof, Buffer.alloc(32)]
  yield [Buffer.alloc(32), ...proof]
}

describe('a tree', () => {
  test('has the roots of the certificate-transparency reference', () => {
    const inputs = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f']
    const expected = [
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
      'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
      'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
      '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
      '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
      'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
      '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
    ]
    const leaves = inputs.map((input) => leafHash(Buffer.from(input, 'hex')))
    assert.deepEqual(
      expected.map((_, size) => rootOf(leaves.slice(0, size)).toString('hex')),
      expected,
    )
  })

  test('has the root that RFC 6962 defines, at every size, from its leaves and from its subtrees', () => {
    for (const size of [...Array(131).keys(), 255, 256, 257, 511, 512, 513, 700]) {
      const root = mth(allEntries.slice(0, size))
      assert.deepEqual(rootOf(allLeaves.slice(0, size)), root)
      assert.deepEqual(roots[size], root)
    }
    assert.deepEqual(rootOf([]), emptyRoot)
  })
})

describe('an inclusion proof', () => {
  test('is the audit path of RFC 6962, for every leaf of every tree', () => {
    for (let size = 1; size <= 33; size += 1) {
      const entries = allEntries.slice(0, size)
      for (let index = 0; index < size; index += 1) {
        assert.deepEqual(inclusionProof(index, size, hashAt), path(index, entries))
      }
    }
  })

  test('proves its leaf at its index in its tree', () => {
    for (let size = 1; size <= 130; size += 1) {
      for (let index = 0; index < size; index += 1) {
        assert.ok(verifyInclusion(allLeaves[index]!, index, inclusionProof(index, size, hashAt), treeOf(size)))
      }
    }
  })

  test('is the audit path, and proves, in random larger trees', () => {
    const leafOfTree = fc.integer({ min: 1, max: 700 }).chain((size) => fc.tuple(fc.nat(size - 1), fc.constant(size)))
    fc.assert(
      fc.property(leafOfTree, ([index, size]) => {
        const proof = inclusionProof(index, size, hashAt)
        assert.deepEqual(proof, path(index, allEntries.slice(0, size)))
        assert.ok(verifyInclusion(allLeaves[index]!, index, proof, treeOf(size)))
      }),
      { numRuns: 40 },
    )
  })

  test('proves no other leaf, index, size or root', () => {
    for (let size = 1; size <= 20; size += 1) {
      for (let index = 0; index < size; index += 1) {
        const proof = inclusionProof(index, size, hashAt)
        for (let other = 0; other <= 21; other += 1) {
          if (other !== index) {
            assert.ok(!verifyInclusion(allLeaves[index]!, other, proof, treeOf(size)))
            assert.ok(!verifyInclusion(allLeaves[other]!, index, proof, treeOf(size)))
          }
          if (other !== size) assert.ok(!verifyInclusion(allLeaves[index]!, index, proof, treeOf(other)))
        }
      }
    }
  })

  test('proves nothing once a bit is turned, or a hash exchanged, dropped, doubled or added', () => {
    for (const size of [1, 2, 3, 7, 8, 11]) {
      for (let index = 0; index < size; index += 1) {
        for (const mutation of mutationsOf(inclusionProof(index, size, hashAt))) {
          assert.ok(!verifyInclusion(allLeaves[index]!, index, mutation, treeOf(size)))
        }
      }
    }
  })

  test('ends at the root: one hash more does not lead to a root above it', () => {
    const more = Buffer.alloc(32, 7)
    for (const [index, size] of [[0, 1] as const, [2, 3] as const, [4, 5] as const]) {
      const proof = [...inclusionProof(index, size, hashAt), more]
      for (const root of [nodeHash(more, roots[size]!), nodeHash(roots[size]!, more)]) {
        assert.ok(!verifyInclusion(allLeaves[index]!, index, proof, { size, root }))
      }
    }
  })

  test('is refused, without an error, where index, size or lengths make no sense', () => {
    const proof = inclusionProof(2, 5, hashAt)
    for (const index of [-1, 5, 6, 0.5, Number.NaN, Infinity, 2 ** 53]) {
      assert.ok(!verifyInclusion(allLeaves[2]!, index, proof, treeOf(5)))
    }
    for (const size of [-1, 0, 2, 5.5, Number.NaN, Infinity, 2 ** 53]) {
      assert.ok(!verifyInclusion(allLeaves[2]!, 2, proof, { size, root: roots[5]! }))
    }
    assert.ok(!verifyInclusion(allLeaves[2]!.subarray(1), 2, proof, treeOf(5)))
    assert.ok(!verifyInclusion(allLeaves[2]!, 2, proof, { size: 5, root: roots[5]!.subarray(1) }))
    assert.ok(!verifyInclusion(allLeaves[2]!, 2, Array(100_000).fill(Buffer.alloc(32)), treeOf(5)))
  })
})

describe('a consistency proof', () => {
  test('is the proof of RFC 6962, between every two sizes', () => {
    for (let size2 = 1; size2 <= 26; size2 += 1) {
      const entries = allEntries.slice(0, size2)
      for (let size1 = 1; size1 <= size2; size1 += 1) {
        assert.deepEqual(consistencyProof(size1, size2, hashAt), subproof(size1, entries, true))
      }
    }
  })

  test('proves that the larger tree begins with the smaller', () => {
    for (let size2 = 1; size2 <= 130; size2 += 1) {
      for (let size1 = 1; size1 <= size2; size1 += 1) {
        assert.ok(verifyConsistency(treeOf(size1), treeOf(size2), consistencyProof(size1, size2, hashAt)))
      }
    }
  })

  test('is the proof of RFC 6962, and proves, between random larger trees', () => {
    const two = fc
      .integer({ min: 1, max: 700 })
      .chain((size2) => fc.tuple(fc.integer({ min: 1, max: size2 }), fc.constant(size2)))
    fc.assert(
      fc.property(two, ([size1, size2]) => {
        const proof = consistencyProof(size1, size2, hashAt)
        assert.deepEqual(proof, subproof(size1, allEntries.slice(0, size2), true))
        assert.ok(verifyConsistency(treeOf(size1), treeOf(size2), proof))
      }),
      { numRuns: 40 },
    )
  })

  test('proves nothing about another tree of either size', () => {
    for (let size2 = 1; size2 <= 20; size2 += 1) {
      for (let size1 = 1; size1 <= size2; size1 += 1) {
        const proof = consistencyProof(size1, size2, hashAt)
        const other = Buffer.alloc(32, 7)
        assert.ok(!verifyConsistency({ size: size1, root: other }, treeOf(size2), proof))
        assert.ok(!verifyConsistency(treeOf(size1), { size: size2, root: other }, proof))
        for (let size = 0; size <= 21; size += 1) {
          if (size !== size1) assert.ok(!verifyConsistency(treeOf(size), treeOf(size2), proof))
          if (size !== size2) assert.ok(!verifyConsistency(treeOf(size1), treeOf(size), proof))
        }
      }
    }
  })

  test('proves nothing once a bit is turned, or a hash exchanged, dropped, doubled or added', () => {
    for (const size2 of [2, 5, 8, 11]) {
      for (let size1 = 1; size1 <= size2; size1 += 1) {
        for (const mutation of mutationsOf(consistencyProof(size1, size2, hashAt))) {
          assert.ok(!verifyConsistency(treeOf(size1), treeOf(size2), mutation))
        }
      }
    }
  })

  test('ends at the root: one hash more does not lead to roots above both', () => {
    const more = Buffer.alloc(32, 7)
    const above = (size: number) => ({ size, root: nodeHash(more, roots[size]!) })
    for (const [size1, size2] of [[3, 4] as const, [3, 7] as const, [6, 8] as const]) {
      assert.ok(!verifyConsistency(above(size1), above(size2), [...consistencyProof(size1, size2, hashAt), more]))
    }
  })

  test('is empty between equal sizes, and then only equal roots are consistent', () => {
    assert.deepEqual(consistencyProof(7, 7, hashAt), [])
    assert.ok(verifyConsistency(treeOf(7), treeOf(7), []))
    assert.ok(!verifyConsistency(treeOf(7), { size: 7, root: roots[6]! }, []))
    assert.ok(!verifyConsistency(treeOf(7), treeOf(7), [roots[7]!]))
  })

  test('is empty from the empty tree, and is then no proof', () => {
    assert.deepEqual(consistencyProof(0, 7, hashAt), [])
    assert.ok(!verifyConsistency(treeOf(0), treeOf(7), []))
    assert.ok(!verifyConsistency(treeOf(0), treeOf(0), []))
  })

  test('is refused, without an error, where sizes or lengths make no sense', () => {
    const proof = consistencyProof(3, 5, hashAt)
    for (const size of [-1, 0, 0.5, Number.NaN, Infinity, 2 ** 53]) {
      assert.ok(!verifyConsistency({ size, root: roots[3]! }, treeOf(5), proof))
      assert.ok(!verifyConsistency(treeOf(3), { size, root: roots[5]! }, proof))
    }
    assert.ok(!verifyConsistency(treeOf(6), treeOf(5), proof))
    assert.ok(!verifyConsistency(treeOf(3), treeOf(5), []))
    assert.ok(!verifyConsistency(treeOf(4), treeOf(5), []))
    assert.ok(!verifyConsistency(treeOf(3), treeOf(5), Array(100_000).fill(Buffer.alloc(32))))
  })
})

/** A tree of 2^53 - 1 leaves that are all the same: each subtree is known by its level. */
const sameAt: Buffer[] = [leafHash(Buffer.alloc(32))]
for (let level = 1; level < 53; level += 1) sameAt.push(nodeHash(sameAt[level - 1]!, sameAt[level - 1]!))
const sameHash: HashAt = (level) => sameAt[level]!
const sameTree = (size: number) => ({ size, root: rootAt(size, sameHash) })
const large = fc.oneof(
  fc.maxSafeNat().map((n) => n + Number(n === 0)),
  fc.integer({ min: 0, max: 52 }).map((level) => 2 ** level),
  fc.integer({ min: 1, max: 53 }).map((level) => 2 ** level - 1),
  fc.integer({ min: 1, max: 52 }).map((level) => 2 ** level + 1),
)

describe('beyond 32 bits', () => {
  test('proofs are right up to the largest safe integer, and need few stored hashes', () => {
    fc.assert(
      fc.property(large, large, (a, b) => {
        const [smaller, larger] = a < b ? [a, b] : [b, a]
        assert.ok(verifyConsistency(sameTree(smaller), sameTree(larger), consistencyProof(smaller, larger, sameHash)))
        const path = inclusionProof(smaller - 1, larger, sameHash)
        assert.ok(verifyInclusion(sameAt[0]!, smaller - 1, path, sameTree(larger)))
        assert.ok(inclusionRanges(smaller - 1, larger).flatMap(subtreesOf).length <= 106)
        assert.ok(consistencyRanges(smaller, larger).flatMap(subtreesOf).length <= 106)
        if (path.length > 0) assert.ok(!verifyInclusion(sameAt[0]!, smaller - 1, path.slice(1), sameTree(larger)))
      }),
    )
  })

  test('the hashes of an inclusion proof span every other leaf once', () => {
    fc.assert(
      fc.property(large, large, (a, b) => {
        const [index, size] = a < b ? [a, b] : [b - 1, a]
        const ranges = [...inclusionRanges(index, size), [index, index + 1] as const].sort(([x], [y]) => x - y)
        assert.equal(ranges[0]![0], 0)
        assert.equal(ranges.at(-1)![1], size)
        for (const [at, [start]] of ranges.entries()) if (at > 0) assert.equal(start, ranges[at - 1]![1])
      }),
    )
  })

  test('a proof of what cannot be is an error of the caller', () => {
    assert.throws(() => inclusionProof(5, 5, hashAt), RangeError)
    assert.throws(() => inclusionProof(-1, 5, hashAt), RangeError)
    assert.throws(() => consistencyProof(6, 5, hashAt), RangeError)
    assert.throws(() => rootAt(2 ** 53, hashAt), RangeError)
  })
})

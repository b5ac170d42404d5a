import { hash } from 'node:crypto'

/**
 * The Merkle tree of RFC 6962, section 2.1, with SHA-256. A hash is 32 bytes. Sizes and indexes are safe integers (below 2^53),
 * so there are no bit operators here: those of JavaScript see 32 bits only.
 */
export const hashLength = 32

/** No path is longer: a tree of 2^63 leaves has 63 levels above them. */
export const proofLengthMax = 63

/** The hash of the complete subtree over the leaves [index * 2^level, (index + 1) * 2^level). Level 0 has the leaf hashes. */
export type HashAt = (level: number, index: number) => Buffer

/** The leaves from start up to, and without, end: D[start:end] in RFC 6962. */
export type Range = readonly [start: number, end: number]

/** A tree as a checkpoint names it. */
export type Tree = { size: number; root: Uint8Array }

export type Subtree = { level: number; index: number }

/** RFC 6962, section 2.1: the root of a tree without leaves. */
export const emptyRoot = hash('sha256', '', 'buffer')

/** RFC 6962, section 2.1: 0x00 before an entry, so that no entry can pass for a node. */
export function leafHash(entry: Uint8Array): Buffer {
  const prefixed = Buffer.allocUnsafe(1 + entry.length)
  prefixed[0] = 0
  prefixed.set(entry, 1)
  return hash('sha256', prefixed, 'buffer')
}

// Used again for every node: nothing awaits between filling it and hashing it, and allocating took longer than hashing.
const node = Buffer.alloc(1 + 2 * hashLength, 1)

/** RFC 6962, section 2.1: 0x01 before the two hashes below. Each must be 32 bytes. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  node.set(left, 1)
  node.set(right, 1 + hashLength)
  return hash('sha256', node, 'buffer')
}

/** MTH of RFC 6962, section 2.1, over any number of leaf hashes (or of hashes of complete subtrees of one size). */
export function rootOf(leafHashes: readonly Buffer[]): Buffer {
  if (leafHashes.length === 0) return emptyRoot
  let row = leafHashes
  while (row.length > 1) {
    const above: Buffer[] = []
    for (let i = 0; i + 1 < row.length; i += 2) above.push(nodeHash(row[i]!, row[i + 1]!))
    // One left over at the right edge rises as it is: the same as splitting at the largest power of two.
    if (row.length % 2 === 1) above.push(row.at(-1)!)
    row = above
  }
  return row[0]!
}

/**
 * The complete subtrees that a range consists of, from left to right, each smaller than the one before. The range must be a
 * node of a tree, as those of `inclusionRanges`, `consistencyRanges` and [0, size] are.
 */
export function subtreesOf([start, end]: Range): Subtree[] {
  const subtrees: Subtree[] = []
  let from = start
  while (from < end) {
    let level = 0
    while (2 ** (level + 1) <= end - from) level += 1
    subtrees.push({ level, index: from / 2 ** level })
    from += 2 ** level
  }
  return subtrees
}

function rangeHash(range: Range, hashAt: HashAt): Buffer {
  return subtreesOf(range)
    .map(({ level, index }) => hashAt(level, index))
    .reduceRight((right, left) => nodeHash(left, right))
}

/** The root of the tree at a size, from at most 53 stored hashes. */
export function rootAt(size: number, hashAt: HashAt): Buffer {
  requireSizes(0, size)
  return size === 0 ? emptyRoot : rangeHash([0, size], hashAt)
}

/** The largest power of two smaller than n: where RFC 6962 splits a tree of n > 1 leaves. */
function splitOf(n: number): number {
  let split = 1
  while (split * 2 < n) split *= 2
  return split
}

function isSize(n: number): boolean {
  return Number.isSafeInteger(n) && n >= 0
}

function requireSizes(smaller: number, larger: number): void {
  if (!isSize(smaller) || !isSize(larger) || smaller > larger)
    throw new RangeError(`There is no tree of ${larger} with ${smaller}.`)
}

/** What the hashes of an inclusion proof span, in the order of the proof: PATH of RFC 6962, section 2.1.1. Throws unless index < size. */
export function inclusionRanges(index: number, size: number): Range[] {
  requireSizes(index, size - 1)
  const ranges: Range[] = []
  let [start, end] = [0, size]
  while (end - start > 1) {
    const middle = start + splitOf(end - start)
    if (index < middle) {
      ranges.push([middle, end])
      end = middle
    } else {
      ranges.push([start, middle])
      start = middle
    }
  }
  return ranges.reverse()
}

/**
 * What the hashes of a consistency proof span, in the order of the proof: PROOF of RFC 6962, section 2.1.2. None from size 0,
 * as tlog-witness wants it, and none between equal sizes. Throws where size1 > size2.
 */
export function consistencyRanges(size1: number, size2: number): Range[] {
  requireSizes(size1, size2)
  if (size1 === 0) return []
  const ranges: Range[] = []
  let [start, end] = [0, size2]
  while (size1 < end) {
    const middle = start + splitOf(end - start)
    if (size1 <= middle) {
      ranges.push([middle, end])
      end = middle
    } else {
      ranges.push([start, middle])
      start = middle
    }
  }
  // Whoever holds the old root knows this node where it is that root.
  if (start > 0) ranges.push([start, end])
  return ranges.reverse()
}

/** The audit path of a leaf, from its sibling up. Throws unless index < size, and what `hashAt` throws. */
export function inclusionProof(index: number, size: number, hashAt: HashAt): Buffer[] {
  return inclusionRanges(index, size).map((range) => rangeHash(range, hashAt))
}

/** Shows that the tree of size2 begins with the tree of size1. Throws where size1 > size2, and what `hashAt` throws. */
export function consistencyProof(size1: number, size2: number, hashAt: HashAt): Buffer[] {
  return consistencyRanges(size1, size2).map((range) => rangeHash(range, hashAt))
}

function areHashes(hashes: readonly Uint8Array[]): boolean {
  return hashes.every((bytes) => bytes.length === hashLength)
}

const isOdd = (n: number) => n % 2 === 1
const half = (n: number) => Math.floor(n / 2)

/**
 * Where the path from a leaf to the root stands, after it has taken one more hash from its right or from its left. A level at
 * which a node at the right edge has no sibling takes no hash, and is stepped over.
 */
type Position = { at: number; last: number }

function isRightChild({ at, last }: Position): boolean {
  return isOdd(at) || at === last
}

function above({ at, last }: Position): Position {
  while (at === last && at !== 0 && !isOdd(at)) [at, last] = [half(at), half(last)]
  return { at: half(at), last: half(last) }
}

/**
 * RFC 9162, section 2.1.3.2. False, never an error, for whatever does not prove that the leaf is at the index of the tree. The size
 * must be one that was signed together with the root: a root alone does not say how many leaves its right edge has.
 */
export function verifyInclusion(leaf: Uint8Array, index: number, proof: readonly Uint8Array[], tree: Tree): boolean {
  if (!isSize(index) || !isSize(tree.size) || index >= tree.size || proof.length > proofLengthMax) return false
  if (!areHashes([leaf, tree.root, ...proof])) return false
  let position: Position = { at: index, last: tree.size - 1 }
  let root: Buffer = Buffer.from(leaf)
  for (const sibling of proof) {
    if (position.last === 0) return false
    root = isRightChild(position) ? nodeHash(sibling, root) : nodeHash(root, sibling)
    position = above(position)
  }
  return position.last === 0 && root.equals(tree.root)
}

/**
 * RFC 9162, section 2.1.4.2. False, never an error, for whatever does not prove that the second tree begins with the first.
 * Every tree begins with the empty one, which therefore proves nothing: a first size of 0 is refused.
 */
export function verifyConsistency(first: Tree, second: Tree, proof: readonly Uint8Array[]): boolean {
  if (!isSize(first.size) || !isSize(second.size) || first.size === 0 || first.size > second.size) return false
  if (proof.length > proofLengthMax || !areHashes([first.root, second.root, ...proof])) return false
  if (first.size === second.size) return proof.length === 0 && Buffer.compare(first.root, second.root) === 0
  let position: Position = { at: first.size - 1, last: second.size - 1 }
  while (isOdd(position.at)) position = { at: half(position.at), last: half(position.last) }
  // A first tree that is complete is itself the node to begin with, and the proof leaves it out.
  const path = position.at === 0 ? [first.root, ...proof] : proof
  if (path.length === 0) return false
  let firstRoot: Buffer = Buffer.from(path[0]!)
  let secondRoot = firstRoot
  for (const sibling of path.slice(1)) {
    if (position.last === 0) return false
    if (isRightChild(position)) {
      firstRoot = nodeHash(sibling, firstRoot)
      secondRoot = nodeHash(sibling, secondRoot)
    } else {
      secondRoot = nodeHash(secondRoot, sibling)
    }
    position = above(position)
  }
  return position.last === 0 && firstRoot.equals(first.root) && secondRoot.equals(second.root)
}

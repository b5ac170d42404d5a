import * as asn1js from 'asn1js'

// Reading DER (X.690) that anybody may have made: strictly, and within bounds.

/** A usual token has under 500 nodes, 15 deep. */
const bounds = { maxDepth: 32, maxNodes: 5_000, parseEmbedded: false }
/** A sentence why not. Does not leave what reads time-stamps. */
class Refusal extends Error {}

export function refuseUnless(holds: boolean, sentence: string): asserts holds {
  if (!holds) throw new Refusal(sentence)
}

// Bytes from outside may fail anywhere in the libraries; whatever that is, the answer is no.
export function answerOr<T>(otherwise: string, work: () => T): T | string {
  try {
    return work()
  } catch (error) {
    return error instanceof Refusal ? error.message : otherwise
  }
}

export function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0
}

export function numberOf(bytes: Uint8Array): bigint {
  return BigInt(`0x0${Buffer.from(bytes).toString('hex')}`)
}

/** A SEQUENCE, and nothing after it. */
export function readDer(der: Uint8Array): asn1js.Sequence {
  const isWhole = isDer(der, bounds.maxDepth)
  const { offset, result } = asn1js.fromBER(new Uint8Array(der), bounds)
  refuseUnless(isWhole && offset === der.length && result instanceof asn1js.Sequence, 'The time-stamp is not in DER.')
  return result
}

/**
 * Whether the bytes are elements of DER one after another, each as long as what is in it (X.690, section 10). asn1js takes an
 * element that says another length than its content has.
 */
function isDer(bytes: Uint8Array, depth: number): boolean {
  let at = 0
  while (at < bytes.length) {
    const [tag = 0, short = 0x80] = bytes.subarray(at, at + 2)
    const lengthBytes = short < 0x80 ? 0 : short & 0x7f
    // No length of none (indefinite), nor of more than the two bytes that 64 kB take.
    if ((tag & 0x1f) === 0x1f || short === 0x80 || lengthBytes > 2) return false
    const start = at + 2 + lengthBytes
    const length = lengthBytes === 0 ? short : Number(numberOf(bytes.subarray(at + 2, start)))
    const isShortest = lengthBytes === 0 || length >= (lengthBytes === 1 ? 0x80 : 0x100)
    if (!isShortest || start + length > bytes.length) return false
    const isConstructed = (tag & 0x20) !== 0
    const isSequenceOrSet = (tag & 0x1f) === 0x10 || (tag & 0x1f) === 0x11
    if ((tag & 0xc0) === 0 && isConstructed !== isSequenceOrSet) return false
    if (isConstructed && (depth === 0 || !isDer(bytes.subarray(start, start + length), depth - 1))) return false
    at = start + length
  }
  return true
}

/** What is in a SEQUENCE or SET. Throws where it is none. */
export function childrenOf(block: unknown): asn1js.BaseBlock[] {
  refuseUnless(block instanceof asn1js.Constructed, 'The time-stamp token is not well formed.')
  return block.valueBlock.value
}

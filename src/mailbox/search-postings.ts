/**
 * In which letters a word stands: their numbers, in blocks, each whole in itself, so that what comes later is put behind what is
 * there. A block is how many there are, the first number, and of each other how much more it is than the one before.
 */
export function encodePostings(numbers: readonly number[]): Buffer {
  const bytes: number[] = []
  const put = (value: number) => {
    let left = value
    while (left >= 0x80) {
      bytes.push((left & 0x7f) | 0x80)
      left >>>= 7
    }
    bytes.push(left)
  }
  put(numbers.length)
  let before = 0
  for (const number of numbers) {
    put(number - before)
    before = number
  }
  return Buffer.from(bytes)
}

/** Calls `take` with each number. Blocks stand as they came, so the numbers of one may be lower than those of another. */
export function readPostings(bytes: Uint8Array, take: (number: number) => void): void {
  let at = 0
  const next = () => {
    let value = 0
    let shift = 0
    let byte: number
    do {
      byte = bytes[at++] ?? 0
      value |= (byte & 0x7f) << shift
      shift += 7
    } while (byte >= 0x80)
    return value
  }
  while (at < bytes.length) {
    let left = next()
    let number = 0
    for (; left > 0; left -= 1) {
      number += next()
      take(number)
    }
  }
}

/** The same without some numbers, in one block; undefined where nothing is left. */
export function withoutNumbers(bytes: Uint8Array, gone: ReadonlySet<number>): Buffer | undefined {
  const left = new Set<number>()
  readPostings(bytes, (number) => {
    if (!gone.has(number)) left.add(number)
  })
  return left.size === 0 ? undefined : encodePostings([...left].sort((a, b) => a - b))
}

/** What Windows takes for a device, whatever follows the point. */
const devices = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i
const lengthMax = 100

/**
 * A name for a file or a folder that every system can have: letters, digits and a few signs, at most 100 long with its ending,
 * and none that is taken. Letters of all alphabets stay.
 */
export function safeName(text: string, taken: Set<string>, length = lengthMax): string {
  const dot = text.lastIndexOf('.')
  const hasEnding = dot > 0 && /^\.[A-Za-z0-9]{1,8}$/.test(text.slice(dot))
  const ending = hasEnding ? text.slice(dot).toLowerCase() : ''
  const plain = clean(hasEnding ? text.slice(0, dot) : text)
  const base = plain === '' ? 'file' : devices.test(plain) ? `_${plain}` : plain
  for (let turn = 1; ; turn++) {
    const more = turn === 1 ? '' : ` (${turn})`
    const name = `${cut(base, length - ending.length - more.length)}${more}${ending}`
    // Windows and macOS do not tell A from a.
    const key = name.toLowerCase()
    if (taken.has(key)) continue
    taken.add(key)
    return name
  }
}

function clean(text: string): string {
  return text
    .normalize('NFC')
    .replace(/[^\p{L}\p{M}\p{N} ._()'’-]/gu, ' ')
    .replace(/\s+/g, ' ')
    .replace(/^[. ]+|[. ]+$/g, '')
}

/** Not within a character. */
function cut(text: string, length: number): string {
  return [...text].reduce((so, far) => (so.length + far.length <= length ? so + far : so), '').replace(/[. ]+$/, '')
}

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { Problem, type ProblemCode } from '../problems.ts'
import { checkDocuments, checkPersonsFile } from './check.ts'
import { filesMax, messageBytesMax, type NewDocument, type NewFile } from './document.ts'

const endings: Record<string, string> = {
  'application/pdf': 'pdf',
  'image/png': 'png',
  'image/jpeg': 'jpg',
  'text/plain': 'txt',
  'text/csv': 'csv',
  'application/json': 'json',
  'application/xml': 'xml',
  'application/vnd.oasis.opendocument.text': 'odt',
}
const pdf = Buffer.from('%PDF-1.7\n1 0 obj <<>> endobj\ntrailer <<>>\n%%EOF')
const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)
const jpeg = Buffer.concat([Buffer.from('ffd8ffe000104a46494600010100000100010000', 'hex'), Buffer.from('ffd9', 'hex')])

function file(mediaType: string, bytes: Buffer | string): NewFile {
  return { filename: `file.${endings[mediaType]}`, mediaType, content: Buffer.from(bytes).toString('base64') }
}
const letter = (...files: NewFile[]): NewDocument[] => [{ role: 'main', files }]
const check = (mediaType: string, bytes: Buffer | string) => checkDocuments(letter(file(mediaType, bytes)))

/** The first entry of a zip, stored as it is: what an OpenDocument file begins with. */
function zip(name: string, content: string): Buffer {
  const header = Buffer.alloc(30)
  header.write('PK\u0003\u0004', 'latin1')
  header.writeUInt32LE(content.length, 18)
  header.writeUInt32LE(content.length, 22)
  header.writeUInt16LE(name.length, 26)
  return Buffer.concat([header, Buffer.from(name + content)])
}

describe('checking documents', () => {
  test('takes files that are what they say, and knows their size and digest', async () => {
    const odt = 'application/vnd.oasis.opendocument.text'
    for (const [mediaType, bytes] of [
      ['application/pdf', pdf],
      ['image/png', png],
      ['image/jpeg', jpeg],
      [odt, zip('mimetype', odt)],
      ['application/xml', '<?xml version="1.0"?><bill/>'],
      ['text/plain', '\ufeffAnnwyl Mrs Example'],
    ] as const) {
      const { documents, contents } = await check(mediaType, bytes)
      const [stored] = documents[0]!.files
      assert.equal(stored?.size, Buffer.byteLength(bytes), mediaType)
      assert.equal(stored?.sha256, createHash('sha256').update(bytes).digest('hex'))
      assert.deepEqual(
        contents.map(({ id }) => id),
        [stored?.id],
      )
    }
  })

  test('takes any text as text, whatever its first letters mean elsewhere', async () => {
    for (const words of ['BMW owners must pay', 'MZ 12,3', 'ID3,name', 'GIF,PNG', 'G'.repeat(400)]) await check('text/csv', words)
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme', minLength: 1 }), (words) =>
        check('text/plain', `${words.replaceAll('\0', '')}.`).then(() => true),
      ),
    )
  })

  test('refuses what is not what it says, and names the file', async () => {
    for (const [mediaType, bytes] of [
      ['application/pdf', png],
      ['application/pdf', 'a bill'],
      ['application/pdf', Buffer.concat([Buffer.from('\n'), pdf])],
      ['application/pdf', Buffer.concat([png, pdf])],
      ['application/pdf', '<script>alert(1)</script>%PDF-1.7'],
      ['image/png', pdf],
      ['image/png', jpeg],
      ['image/jpeg', '<svg xmlns="http://www.w3.org/2000/svg"/>'],
      ['text/plain', pdf],
      ['text/csv', '{\\rtf1 bill}'],
      ['text/plain', png],
      ['application/vnd.oasis.opendocument.text', zip('word/document.xml', '<x/>')],
    ] as const) {
      const found = await checkDocuments(letter(file('image/png', png), file(mediaType, bytes))).catch(
        (problem: Problem) => problem,
      )
      const said = found instanceof Problem ? [found.code, found.fields?.[0]?.field] : 'taken'
      assert.deepEqual(said, ['file-type-mismatch', '/documents/0/files/1/content'], `${mediaType}: ${bytes.slice(0, 20)}`)
    }
  })

  test('refuses text that is not UTF-8, or holds a NUL', async () => {
    for (const bytes of [
      Buffer.from('Treth gyngor: £1', 'latin1'),
      Buffer.from('bill', 'utf16le'),
      Buffer.from('a\0b'),
      Buffer.from([0xed, 0xa0, 0x80]),
    ]) {
      await assert.rejects(check('text/plain', bytes), { code: 'file-type-mismatch' })
    }
  })

  test('refuses an empty file', async () => {
    for (const mediaType of ['text/plain', 'application/pdf']) await assert.rejects(check(mediaType, ''), { code: 'file-empty' })
  })

  test('takes 25 MiB and not a byte more, in all files together', async () => {
    const half = Buffer.alloc(messageBytesMax / 2, 'a')
    assert.equal(messageBytesMax, 26_214_400)
    await checkDocuments([...letter(file('text/plain', half)), { role: 'additional', files: [file('text/csv', half)] }])
    const over = [
      ...letter(file('text/plain', half)),
      { role: 'additional' as const, files: [file('text/csv', half), file('text/plain', 'b')] },
    ]
    await assert.rejects(checkDocuments(over), { code: 'too-large' })
  })

  test('takes one main document, and so many files', async () => {
    const one = file('text/plain', 'a')
    await assert.rejects(checkDocuments([...letter(one), ...letter(one)]), { code: 'main-document-repeated' })
    const many = (count: number) => checkDocuments([{ role: 'technical', files: Array.from({ length: count }, () => one) }])
    await many(filesMax)
    await assert.rejects(many(filesMax + 1), { code: 'too-large' })
  })

  test('calls a document by the name of its first file where it has no title', async () => {
    const named = await checkDocuments([
      ...letter(file('text/plain', 'a')),
      { role: 'additional', title: 'Map', files: [file('image/png', png)] },
    ])
    assert.deepEqual(
      named.documents.map(({ title }) => title),
      ['file.txt', 'Map'],
    )
  })
})

describe('checking a file that a person adds', () => {
  const whole = Buffer.from('%PDF-1.7\n1 0 obj <<>> endobj\ntrailer <</Size 1>>\nstartxref\n0\n%%EOF')
  const check = (filename: string, mediaType: string, bytes: Buffer) => checkPersonsFile({ filename, mediaType, bytes })
  const refuses = (code: ProblemCode, filename: string, mediaType: string, bytes: Buffer) =>
    assert.rejects(check(filename, mediaType, bytes), new Problem(code), `${filename}: ${code}`)

  test('takes one that is whole and open', async () => {
    assert.match(await check('a.pdf', 'application/pdf', whole), /^[0-9a-f]{64}$/)
    await check('a.png', 'image/png', png)
    await check('a.jpg', 'image/jpeg', jpeg)
    await check('a.txt', 'text/plain', Buffer.from('/Encrypt 1 0 R'))
  })

  test('refuses one with a password, one that is cut off, and one that is empty', async () => {
    const locked = Buffer.from(whole.toString().replace('/Size 1', '/Encrypt 5 0 R'))
    await refuses('file-protected', 'a.pdf', 'application/pdf', locked)
    const docx = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'
    await refuses('file-protected', 'a.docx', docx, Buffer.from('d0cf11e0a1b11ae10000', 'hex'))
    await refuses('file-type-mismatch', 'a.pdf', 'application/pdf', whole.subarray(0, 30))
    await refuses('file-type-mismatch', 'a.png', 'image/png', png.subarray(0, 40))
    await refuses('file-empty', 'a.pdf', 'application/pdf', Buffer.alloc(0))
    await refuses('file-type-not-allowed', 'a.exe', '', whole)
  })
})

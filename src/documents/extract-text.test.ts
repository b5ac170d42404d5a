import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { strToU8, zipSync } from 'fflate'
import PDFDocument from 'pdfkit'
import { extractText } from './extract-text.ts'

const [docx, xlsx] = ['wordprocessingml.document', 'spreadsheetml.sheet'].map(
  (kind) => `application/vnd.openxmlformats-officedocument.${kind}`,
) as [string, string]
const odt = 'application/vnd.oasis.opendocument.text'
const zip = (files: Record<string, string>) =>
  zipSync(Object.fromEntries(Object.entries(files).map(([name, text]) => [name, strToU8(text)])))

function pdf(text: string, options: PDFKit.PDFDocumentOptions = {}): Promise<Buffer> {
  return new Promise((resolve) => {
    const document = new PDFDocument(options)
    const parts: Buffer[] = []
    document.on('data', (part: Buffer) => parts.push(part))
    document.on('end', () => resolve(Buffer.concat(parts)))
    document.text(text).addPage().text('On the second page')
    document.end()
  })
}

const extract = (mediaType: string, bytes: Uint8Array, timeMs?: number) => extractText(mediaType, [bytes], bytes.length, timeMs)

const textOf = async (mediaType: string, bytes: Uint8Array) => {
  const extracted = await extract(mediaType, bytes)
  assert.ok('text' in extracted, JSON.stringify(extracted))
  return extracted.text.replace(/\s+/g, ' ').trim()
}

describe('the text inside documents', () => {
  test('is read out of PDFs', async () => {
    assert.equal(await textOf('application/pdf', await pdf('A boiler, £120')), 'A boiler, £120 On the second page')
  })

  test('is read out of what offices write, words whole where their letters are set differently', async () => {
    const body = '<w:p><w:r><w:t>Your boi</w:t></w:r><w:r><w:t>ler</w:t></w:r></w:p><w:p><w:t>&amp; more</w:t></w:p>'
    const word = zip({
      'word/document.xml': `<w:document xmlns:w="w"><w:body>${body}</w:body></w:document>`,
      'word/media/a.png': 'no',
    })
    assert.equal(await textOf(docx, word), 'Your boiler & more')
    const sheet = zip({
      'xl/sharedStrings.xml': '<sst><si><t>Boiler</t></si><si><t>Price</t></si></sst>',
      'xl/worksheets/sheet1.xml': '<worksheet><row><c t="s"><v>0</v></c><c><v>4711</v></c></row></worksheet>',
    })
    assert.equal(await textOf(xlsx, sheet), 'Boiler Price 4711')
    const text = zip({ 'content.xml': '<o><text:h>Boiler</text:h><text:p>One<text:s/>two</text:p></o>' })
    assert.equal(await textOf(odt, text), 'Boiler One two')
  })

  test('is read out of plain text', async () => {
    assert.equal(await textOf('text/csv', Buffer.from('boiler;£120')), 'boiler;£120')
  })

  const failures: Record<string, [mediaType: string, bytes: () => Promise<Uint8Array>, failure: string]> = {
    'a PDF that is damaged': ['application/pdf', async () => Buffer.from('%PDF-1.7\nnonsense'), 'damaged'],
    'a PDF with a password': ['application/pdf', () => pdf('Secret', { userPassword: 'no' }), 'protected'],
    'a zip file that is cut off': [docx, async () => zip({ 'word/document.xml': '<a/>' }).subarray(0, 40), 'damaged'],
    'an office document without text': [docx, async () => zip({ 'nothing.xml': '<a/>' }), 'damaged'],
    'XML that is no XML': [docx, async () => zip({ 'word/document.xml': '<w:p>' }), 'damaged'],
    'words that stand for others that stand for others': [
      odt,
      async () => zip({ 'content.xml': '<!DOCTYPE a [<!ENTITY b "&c;&c;"><!ENTITY c "boom">]><a>&b;</a>' }),
      'damaged',
    ],
    'a small file that holds a very large one': [
      docx,
      async () => zipSync({ 'word/document.xml': new Uint8Array(65 * 1024 * 1024) }, { level: 1 }),
      'too-large',
    ],
    'very many small files': [
      docx,
      async () => zip(Object.fromEntries(Array.from({ length: 6_000 }, (_, index) => [`word/header${index}.xml`, '<a/>']))),
      'too-large',
    ],
  }
  for (const [name, [mediaType, bytes, failure]] of Object.entries(failures)) {
    test(`is not read out of ${name}, and that is said`, async () => {
      assert.deepEqual(await extract(mediaType, await bytes()), { failure })
    })
  }

  test('is not read where a file says that it is smaller than it is', async () => {
    const bytes = zipSync({ 'word/document.xml': new Uint8Array(8 * 1024 * 1024).fill(32) }, { level: 9 })
    const size = Buffer.alloc(4)
    size.writeUInt32LE(8 * 1024 * 1024)
    const lying = Buffer.from(bytes)
    for (let at = lying.indexOf(size); at >= 0; at = lying.indexOf(size, at + 4)) lying.writeUInt32LE(1_000, at)
    assert.ok('failure' in (await extract(docx, lying)))
  })

  test('is given up where it takes too long, or more memory than there is', async () => {
    assert.deepEqual(await extract('application/pdf', await pdf('Too late'), 1), { failure: 'too-slow' })
  })
})

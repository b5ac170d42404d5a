import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { mediaTypes, refuseFilename } from './document.ts'

const refusePdf = (filename: string) => refuseFilename(filename, 'application/pdf')
const u = (code: number) => String.fromCodePoint(code)

describe('the name of a file', () => {
  test('may be written in any language', () => {
    for (const name of [
      'bill.pdf',
      'Bil treth gyngor – Ŵythnos.pdf',
      'счёт (2).pdf',
      '請求書.pdf',
      'a.b.c.pdf',
      'BILL.PDF',
      '📄.pdf',
      '-.pdf',
    ]) {
      assert.equal(refusePdf(name), undefined, name)
    }
  })

  test('has no folder in it', () => {
    for (const name of [
      '../bill.pdf',
      'a/bill.pdf',
      'a\\bill.pdf',
      'C:bill.pdf',
      '..',
      '.',
      '.pdf',
      '/etc/passwd.pdf',
      '\\\\host\\bill.pdf',
    ]) {
      assert.equal(refusePdf(name), 'file-name-not-allowed', name)
    }
  })

  test('has none of the characters that MeMo bans, and no control character or direction mark', () => {
    const memo = [
      ...'<>:"/\\|?*\r\n',
      ...[0xa0, 0x2028, 0x205f, 0x2060, 0x3000].map(u),
      ...Array.from({ length: 11 }, (_, n) => u(0x2000 + n)),
    ]
    const control = Array.from({ length: 0xa0 }, (_, code) => u(code)).filter((one) => /\p{Cc}/u.test(one))
    const direction = [0x061c, 0x200e, 0x200f, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069].map(u)
    for (const banned of [...memo, ...control, ...direction, '\ud800', '\udfff', '\ufeff', '\u200b']) {
      const name = `bill${banned}fdp.pdf`
      assert.equal(refusePdf(name), 'file-name-not-allowed', `U+${banned.codePointAt(0)!.toString(16)}`)
    }
  })

  test('neither begins nor ends with a space or a full stop', () => {
    for (const name of [' bill.pdf', '.bill.pdf', 'bill.pdf ', 'bill.pdf.'])
      assert.equal(refusePdf(name), 'file-name-not-allowed', name)
  })

  test('ends as its media type does', () => {
    for (const name of ['bill', 'pdf', 'bill.exe', 'bill.pdf.exe', 'bill.png', 'billpdf'])
      assert.equal(refusePdf(name), 'file-type-mismatch', name)
    assert.equal(refuseFilename('photo.JPEG', 'image/jpeg'), undefined)
  })

  test('comes with a media type that is taken', () => {
    for (const mediaType of [
      'text/html',
      'image/svg+xml',
      'application/x-msdownload',
      'application/pdf; charset=utf-8',
      'constructor',
      '',
    ]) {
      assert.equal(refuseFilename('bill.pdf', mediaType), 'file-type-not-allowed', mediaType)
    }
  })

  test('once taken, is one name on any system and opens as what it is', () => {
    const type = fc.constantFrom(...Object.entries(mediaTypes))
    const name = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom(...'ab./\\: ') }),
    )
    fc.assert(
      fc.property(type, name, ([mediaType, endings], stem) => {
        const filename = `${stem}.${endings[0]}`
        if (refuseFilename(filename, mediaType) !== undefined) return
        assert.ok(!/[/\\:\p{Cc}\p{Bidi_Control}]/u.test(filename) && filename.isWellFormed() && !filename.startsWith('.'))
      }),
    )
  })
})

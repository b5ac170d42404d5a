import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readSchemes } from '../registry/scheme.ts'
import { readHeader, readRow, submissionOf } from './mailing.ts'
import type { FileFault } from './read-csv.ts'

const placeholders = ['first name', 'amount']
const template = {
  name: 'Bill',
  category: 'general',
  replyAllowed: false,
  recipientOnly: false,
  content: [
    { language: 'en', subject: 'Bill for ((first name))', body: 'You owe **£((amount))**.' },
    { language: 'cy', subject: 'Bil', body: 'Mae arnoch **£((amount))**.' },
  ],
}
const header = (...cells: string[]) => readHeader({ row: 1, cells }, placeholders)
const faultsOf = (...cells: string[]) => {
  try {
    header(...cells)
  } catch (error) {
    return (error as FileFault).faults
  }
  return []
}

describe('the first row of a file', () => {
  test('names its columns in any order, and in capitals, spaces, hyphens and underscores as it likes', () => {
    const columns = header('Amount', 'IDENTIFIER', 'First_name', ' Identifier-scheme', 'Reference', '')
    assert.deepEqual([columns.identifier, columns.scheme, columns.reference, columns.cells], [1, 3, 4, [2, 0]])
  })

  test('needs the identifier and every placeholder, and may do without the others', () => {
    assert.deepEqual(faultsOf('identifier', 'first name', 'amount'), [])
    assert.deepEqual(faultsOf('first name'), [
      { code: 'column-missing', name: 'identifier' },
      { code: 'column-missing', name: 'amount' },
    ])
  })

  test('has no column that the template does not use, none twice, and none without a name', () => {
    assert.deepEqual(faultsOf('identifier', 'first name', 'First-Name', '', 'amount', 'address'), [
      { code: 'column-repeated', name: 'First-Name' },
      { code: 'column-unknown', name: 'address' },
      { code: 'column-unnamed', place: 4 },
    ])
  })
})

describe('a row', () => {
  const rules = {
    columns: header('identifier', 'identifier scheme', 'reference', 'first name', 'amount'),
    template,
    placeholders,
    scheme: 'link',
    schemesAllowed: ['link', 'nhs-number'],
    schemes: readSchemes(undefined, { demo: true }),
  }
  const read = (...cells: string[]) => readRow({ row: 7, cells }, rules)
  const errorsOf = (...cells: string[]) => read(...cells).errors.map(({ column, fault }) => [column, fault])

  test('is a letter to somebody', () => {
    assert.deepEqual(read(' CT-1 ', '', 'r1', 'Rosa', '-120.50'), {
      read: { row: 7, identifier: { scheme: 'link', value: 'CT-1' }, reference: 'r1', cells: ['Rosa', '-120.50'] },
      errors: [],
    })
  })

  test('may say what kind of identifier it has, whose check digit must be right', () => {
    assert.deepEqual(errorsOf('943 476 5919', 'nhs-number', '', 'Rosa', '1'), [])
    assert.deepEqual(errorsOf('9434765918', 'nhs-number', '', 'Rosa', '1'), [
      ['identifier', { code: 'identifier-check-digit', scheme: 'nhs-number' }],
    ])
    assert.deepEqual(errorsOf('943', 'nhs-number', '', 'Rosa', '1'), [
      ['identifier', { code: 'identifier-form', scheme: 'nhs-number' }],
    ])
    assert.deepEqual(errorsOf('QQ123456A', 'nino', '', 'Rosa', '1'), [
      ['identifier scheme', { code: 'scheme-not-allowed', allowed: 'link, nhs-number' }],
    ])
  })

  test('has no empty value', () => {
    assert.deepEqual(errorsOf('', '', '', ' ', ''), [
      ['identifier', { code: 'empty' }],
      ['first name', { code: 'empty' }],
      ['amount', { code: 'empty' }],
    ])
  })

  test('has no formula, and no error of the spreadsheet; what begins with +, - or @ is text', () => {
    assert.deepEqual(errorsOf('CT-1', '', '', '=A1', '1'), [['first name', { code: 'formula' }]])
    assert.deepEqual(errorsOf('CT-1', '', '', 'Rosa', '#REF!'), [['amount', { code: 'spreadsheet-error' }]])
    assert.deepEqual(errorsOf('1.23E+09', '', '', 'Rosa', '1'), [['identifier', { code: 'number-shortened' }]])
    for (const text of ['+44 20 7946 0000', '-3', '@northfold', '='])
      assert.deepEqual(errorsOf('CT-1', '', '', text, '1'), [], text)
  })

  test('has as many cells as the first row; empty ones at its end do not count', () => {
    assert.deepEqual(errorsOf('CT-1', '', '', 'Rosa'), [[undefined, { code: 'cell-count', cells: 4, columns: 5 }]])
    assert.deepEqual(errorsOf('CT-1', '', '', 'Rosa', '1', 'more'), [[undefined, { code: 'cell-count', cells: 6, columns: 5 }]])
    assert.deepEqual(errorsOf('CT-1', '', '', 'Rosa', '1', '', ''), [])
  })

  test('makes a letter that is not too long', () => {
    assert.deepEqual(errorsOf('CT-1', '', '', 'x'.repeat(260), '1'), [[undefined, { code: 'subject-too-long', max: 256 }]])
    assert.deepEqual(errorsOf('C'.repeat(129), '', 'r'.repeat(129), 'Rosa', '1'), [
      ['identifier', { code: 'too-long', max: 128 }],
      ['reference', { code: 'too-long', max: 128 }],
    ])
  })

  test('never repeats in an error what stands in it', () => {
    const secret = 'zebra'
    for (const cells of [
      [secret.repeat(30), secret, secret.repeat(30), `=${secret}`, secret],
      [secret, 'nhs-number', secret, secret],
    ])
      assert.ok(!JSON.stringify(errorsOf(...cells)).includes(secret))
  })

  test('is the same letter each time it is sent, in every language of the template', () => {
    const mailing = { id: 'm', senderId: 's', availableFrom: null }
    const row = { row: 7, identifier: { scheme: 'link', value: 'CT-1' }, reference: undefined, cells: ['Rosa', '1|2'] }
    const letter = submissionOf(mailing, template, placeholders, row)
    assert.deepEqual(letter, submissionOf(mailing, template, placeholders, row))
    assert.equal(letter.reference, 'mailing-m-7')
    assert.deepEqual(
      letter.content.map(({ language, subject, body }) => [language, subject, body]),
      [
        ['en', 'Bill for Rosa', 'You owe **£1&#124;2**.'],
        ['cy', 'Bil', 'Mae arnoch **£1&#124;2**.'],
      ],
    )
  })
})

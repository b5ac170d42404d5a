import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { renderMarkdown } from '../web/markdown.ts'
import { columnKey, escapeMarkdown, fillTemplate, placeholdersOf, tooLong, toValue, whatIsWrong } from './template.ts'

const letter = (body: string, subject = 'A subject') => [{ language: 'en', subject, body }]
const fill = (body: string, value: string) => fillTemplate(letter(body), new Map([['x', value]]))[0]!.body
const render = (body: string) => renderMarkdown(body, { firstHeading: 2, keepLineBreaks: false })
const asHtml = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

/** Where in a letter a value can stand. */
const places = [
  '((x))',
  'Dear ((x)),\n\nPlease pay.',
  '# ((x))\n\nText',
  '## For ((x))',
  '- ((x))\n- two',
  '1. ((x))',
  '> ((x))',
  '**((x))** and *((x))*',
  '| a | b |\n|---|--:|\n|((x))|((x))|\n| ((x)) | c |',
  'Text\n((x))\nmore',
  'Text\n\n((x))\n\n((x))((x))',
  '((x)). Then\n\n((x))) then',
  '[((x))](https://www.gov.uk)',
  'A <((x))> B ((x))amp; C',
]

describe('a value in a letter', () => {
  test('is shown as it is, whatever it says and wherever it stands', () => {
    const markup = fc.constantFrom(...'\\`*_{}[]()<>#+-.!|~=&:;@/"\'$^ \n\t0123456789ab'.split(''))
    const values = fc.oneof(
      fc.string({ unit: markup, minLength: 1, maxLength: 12 }),
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }),
      fc.constantFrom(
        '[x](http://evil.example)',
        '[x](https://evil.example)',
        '# Heading',
        '<b>bold</b>',
        'one\ntwo',
        '\n\n---\n\n',
        '1. one',
        '1',
        '12)',
        '~~~',
        '***',
        '\\',
        'a\\|b',
        '&lt;',
        '&',
        '<https://evil.example>',
        '<a@b.example>',
        'https://evil.example',
        '((x))',
        '    code',
        '===',
        '| a |',
      ),
    )
    fc.assert(
      fc.property(values, fc.constantFrom(...places), (value, place) => {
        const text = toValue(value)
        fc.pre(text !== '')
        const word = 'placeholderword'
        assert.equal(
          render(fill(place, value)),
          render(fill(place, word)).replaceAll(word, () => asHtml(text)),
        )
      }),
      { numRuns: 5_000 },
    )
  })

  test('is on one line', () => {
    assert.equal(fill('To ((x))', ' 1 High Street\r\nNorthfold\t'), 'To 1 High Street Northfold')
  })

  test('stands in the subject as it is', () => {
    const [filled] = fillTemplate(letter('Text', 'Bill *for* ((x))'), new Map([['x', '*Rosa*\nExample']]))
    assert.equal(filled!.subject, 'Bill *for* *Rosa* Example')
  })

  test('reads well in the letter’s source where it holds nothing of Markdown', () => {
    for (const text of ['O’Brien & Sons', '120.50', 'CT-1001', '3 March 2027', '12:30', 'A. Sample'])
      assert.equal(escapeMarkdown(text), text)
  })
})

describe('placeholders', () => {
  test('are listed once each, however their names are written', () => {
    const content = [...letter('((First name)) ((amount)) ((first_name))', '((Amount)) due'), ...letter('((enw))')]
    assert.deepEqual(placeholdersOf(content), ['Amount', 'First name', 'enw'])
    assert.equal(columnKey(' First-Name '), columnKey('first_name'))
  })

  test('are filled by name in every language', () => {
    const values = new Map([['firstname', 'Rosa']])
    assert.equal(fillTemplate(letter('Dear ((First name))'), values)[0]!.body, 'Dear Rosa')
    assert.equal(fillTemplate(letter('Annwyl ((first_name))'), values)[0]!.body, 'Annwyl Rosa')
  })

  const wrongIn = (body: string) => whatIsWrong({ subject: 'A subject', body }).body

  test('are refused where a value could be more than words', () => {
    for (const body of [
      '`((x))`',
      '    ((x))',
      '```\n((x))\n```',
      '[pay](https://pay.example/((x)))',
      '[a]: https://((x))\n\n[a]',
    ])
      assert.deepEqual(wrongIn(body)[0], { code: 'misplaced', name: 'x' }, body)
    assert.deepEqual(wrongIn('\\((x))'), [{ code: 'backslash', name: 'x' }])
    for (const place of places) assert.deepEqual(wrongIn(place), [], place)
  })

  test('are refused by names that are no column', () => {
    assert.deepEqual(wrongIn('((over18??You may vote))'), [{ code: 'optional', name: 'over18??You may vote' }])
    assert.deepEqual(wrongIn('((Identifier))'), [{ code: 'own-column', name: 'Identifier' }])
    assert.deepEqual(wrongIn(`((${'x'.repeat(65)}))`), [{ code: 'too-long', name: 'x'.repeat(65), max: 64 }])
    assert.deepEqual(wrongIn('(( ))'), [{ code: 'nameless' }])
    assert.deepEqual(whatIsWrong({ subject: '((reference))', body: 'x' }).subject.length, 1)
  })
})

test('a letter that the values make too long is named', () => {
  assert.deepEqual(tooLong(letter('x', 'x'.repeat(257))), { code: 'subject-too-long', max: 256 })
  assert.deepEqual(tooLong(letter('x'.repeat(100_001))), { code: 'letter-too-long', max: 100_000 })
  assert.equal(tooLong(letter('x'.repeat(100_000), 'x'.repeat(256))), undefined)
})

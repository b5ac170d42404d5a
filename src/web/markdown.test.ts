import assert from 'node:assert/strict'
import { test } from 'node:test'
import { renderMarkdown } from './markdown.ts'

const render = (body: string, firstHeading = 2) => renderMarkdown(body, { firstHeading, keepLineBreaks: false })

test('HTML and script are shown as text', () => {
  for (const nasty of [
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    'a <b onclick="x()">b</b>',
    '<!-- c --><svg/onload=alert(1)>',
    '```"><script>alert(1)</script>\nx\n```',
  ]) {
    const html = render(nasty)
    const tags = [...html.matchAll(/<\/?([a-z0-9]+)[^>]*>/g)].map(([, name]) => name)
    assert.deepEqual(
      tags.filter((name) => !['p', 'pre', 'code'].includes(name!)),
      [],
      html,
    )
    assert.doesNotMatch(html, /<[^>]+ on[a-z]+=/)
  }
})

test('a link goes to https, mailto and tel, and to nothing else', () => {
  for (const address of [
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    'data:text/html,x',
    'http://a.example',
    'vbscript:x',
    '/inbox',
    '//a.example',
    'file:///etc/passwd',
    'https://gov.uk@evil.example/',
  ]) {
    assert.doesNotMatch(render(`[press](${address})`), /<a /, address)
    assert.doesNotMatch(render(`<${address}>`), /<a /, address)
    assert.doesNotMatch(render(`[press][1]\n\n[1]: ${address}`), /<a /, address)
  }
  assert.match(
    render('[pay](https://pay.northfold.example/ct)'),
    /<a href="https:\/\/pay\.northfold\.example\/ct" class="govuk-link" rel="noopener noreferrer">pay<\/a> \(pay\.northfold\.example\)/,
  )
  assert.match(render('[call](tel:+441632960123)'), /<\/a> \(\+441632960123\)/)
})

test('a link says where it goes, unless its words do', () => {
  assert.match(render('[https://www.gov.uk](https://evil.example)'), /\(evil\.example\)/)
  assert.doesNotMatch(render('<https://northfold.example/pay>'), /\(/)
  assert.doesNotMatch(render('[01632 960123](tel:+441632960123)'), /\(/)
})

test('pictures are not loaded', () => {
  assert.doesNotMatch(render('![a](https://tracker.example/pixel.png)'), /<img/)
})

test('headings begin below the heading of the page and skip no level', () => {
  const levels = (body: string, first?: number) => [...render(body, first).matchAll(/<h(\d)/g)].map(([, level]) => Number(level))
  assert.deepEqual(levels('# a\n\n## b\n\n# c'), [2, 3, 2])
  assert.deepEqual(levels('### a\n\n##### b\n\n# c'), [2, 3, 2])
  assert.deepEqual(levels('# a\n## b\n### c\n#### d\n##### e', 4), [4, 5, 6, 6, 6])
})

test('a table has headings with a scope, and no style of its own', () => {
  const html = render('| Due | Amount |\n|---|--:|\n| 1 April | £120 |')
  assert.match(html, /<th class="govuk-table__header govuk-table__header--numeric" scope="col">Amount<\/th>/)
  assert.match(html, /<td class="govuk-table__cell govuk-table__cell--numeric">£120<\/td>/)
  assert.doesNotMatch(html, /style=/)
})

test('a line that a person ends stays a line', () => {
  assert.match(renderMarkdown('Dear all,\nhello', { firstHeading: 2, keepLineBreaks: true }), /Dear all,<br>\s*hello/)
  assert.doesNotMatch(render('Dear all,\nhello'), /<br>/)
})

test('text made to take long does not', () => {
  const start = performance.now()
  for (const piece of ['>', '[', '*a ', '- ', '`', '![', '<', '&', '|a', '_*', '[a](', '                    - a\n'])
    render(piece.repeat(Math.floor(100_000 / piece.length)))
  assert.ok(performance.now() - start < 5_000)
})

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type Pages, startPages } from '../../test/pages.ts'

describe('the pages of help', () => {
  const now = { at: new Date('2026-11-26T10:00:00Z') }
  let pages: Pages
  before(async () => {
    pages = await startPages(now)
  })
  after(() => pages.stop())
  const read = async (url: string) => (await pages.get('nobody', url)).body

  test('name every cookie that the pages set, and what scripts keep in the browser', async () => {
    const files = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' }).filter((file) =>
      /(?<!\.test)\.ts$/.test(file),
    )
    const code = files.map((file) => readFileSync(path.join(import.meta.dirname, file), 'utf8')).join('\n')
    const set = [...code.matchAll(/\bownCookie\((?:config\.)?baseUrl, ('[^']+'|\w+)\)/g)].map(([, name]) => name!)
    const constants = new Map([...code.matchAll(/const (\w+Cookie) = '([^']+)'/g)].map(([, name, value]) => [name!, value!]))
    const names = new Set(set.map((name) => (name.startsWith("'") ? name.slice(1, -1) : constants.get(name))))
    assert.ok(names.size >= 6)
    const page = await read('/cookies')
    for (const name of names) assert.ok(name && page.includes(name), `${name} is not on /cookies`)
    const folder = path.join(import.meta.dirname, 'assets')
    const scripts = readdirSync(folder).filter((file) => file.endsWith('.js'))
    const kept = scripts.flatMap((file) => {
      const script = readFileSync(path.join(folder, file), 'utf8')
      const calls = [...script.matchAll(/(?:local|session)Storage\.setItem\((\w+)/g)]
      return calls.map(([, constant]) => new RegExp(`const ${constant} = '([^']+)'`).exec(script)?.[1])
    })
    assert.ok(kept.length > 0)
    for (const name of kept) assert.ok(name && page.includes(name), `${name} is not on /cookies`)
  })

  test('are in both languages, and linked from every page', async () => {
    const start = await read('/')
    for (const url of ['/accessibility', '/cookies', '/privacy', '/is-this-letter-real', '/contact']) {
      assert.ok(start.includes(`href="${url}"`), url)
      assert.match(await read(url), /<html lang="en"/)
      assert.match(await read(`${url}?lang=cy`), /<html lang="cy"/)
    }
  })

  test('say who can send letters here, and name nobody else', async () => {
    const page = await read('/is-this-letter-real')
    assert.match(page, /Northfold Council<\/h3>\s*<p[^>]*>Council tax, Parking/)
    assert.doesNotMatch(page, /Rosa|Arthur/)
  })
})

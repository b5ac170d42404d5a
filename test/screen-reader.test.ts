import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { launchBrowser } from './browser.ts'
import { startServer, type TestServer } from './server.ts'
import { click, openBrowser, press, signIn, signInToWork } from './steps.ts'

const bill = 'Your council tax bill for 2026 to 2027'

describe('what a screen reader says', { timeout: 1_800_000 }, () => {
  let server: TestServer
  let browser: Browser
  let page: Page
  before(async () => {
    server = await startServer()
    browser = await launchBrowser()
    page = await openBrowser(browser, server.baseUrl, { viewport: { width: 1280, height: 800 } })
    await signIn(page, 'Rosa Example')
  })
  after(async () => {
    await browser?.close()
    await server?.stop()
  })

  /** The accessibility tree, a line for each thing, in order, without addresses. */
  const hear = async (shown: Page, part = 'body') => {
    const tree = await shown.locator(part).first().ariaSnapshot()
    return tree.split('\n').filter((line) => !line.includes('- /url:'))
  }
  const trimmed = (lines: string[]) => lines.map((line) => line.trim().replace(/^- '?|'?:?$/g, ''))
  /** What stands at the top of the tree: the parts of the page. */
  const parts = (lines: string[]) => trimmed(lines.filter((line) => line.startsWith('- ')))
  /** Levels, in order: none is left out on the way down. */
  const assertHeadings = (lines: string[]) => {
    const levels = lines.flatMap((line) => (line.match(/\[level=(\d)\]/) ?? []).slice(1).map(Number))
    assert.equal(levels.filter((level) => level === 1).length, 1)
    for (const [index, level] of levels.entries()) assert.ok(level <= (levels[index - 1] ?? 0) + 1 || index === 0, levels.join())
  }

  test('of the inbox: its parts by name, and each letter as who wrote, what about, unread or not, and when', async () => {
    await page.goto('/inbox')
    await page.locator('[data-choose-all] input').waitFor()
    const heard = await hear(page)
    const wanted = [
      'link "Skip to main content"',
      'banner',
      'navigation "Folders"',
      'main',
      'complementary "Choose a letter to read it here"',
    ]
    assert.deepEqual(parts(heard).slice(0, 6), [...wanted, 'contentinfo'])
    assertHeadings(heard)
    const list = trimmed(
      await hear(page, '[role=list][aria-label="Letters"], ul[aria-label="Letters"], ol[aria-label="Letters"]'),
    )
    const first = list.slice(0, list.indexOf('listitem', 2))
    const said = first.filter((line) => !line.startsWith('text: "Choose'))
    assert.deepEqual(said.slice(1, 6), [
      'listitem',
      `checkbox "Choose: ${bill}"`,
      'paragraph: Northfold Council · Council tax',
      `heading "${bill}" [level=2]`,
      `link "${bill}"`,
    ])
    assert.equal(said[7], 'strong: Unread')
    // The letters of the demo are as old as they were when it was made.
    assert.match(said[8]!, /^text: \d{1,2} [A-Z][a-z]+ \d{4} Has documents$/)
  })

  test('of a letter: who sent it, its subject as the one main heading, a table with its headings', async () => {
    await page.goto('/inbox')
    await click(page.getByRole('link', { name: bill }).first())
    await page.locator('h1', { hasText: bill }).waitFor()
    const heard = await hear(page, 'main')
    assertHeadings(heard)
    const said = trimmed(heard)
    const at = said.indexOf(`heading "${bill}" [level=1]`)
    assert.equal(said[at - 1], 'paragraph: Northfold Council · Council tax')
    assert.ok(said.includes('columnheader "Charge"') && said.includes('row "Full charge for band B £1,588.80"'))
  })

  test('of a form with something wrong: what, where it leads, and at the field too', async () => {
    await page.goto('/write/northfold-council/council-tax')
    await press(page, 'Send')
    await page.getByText('There is a problem').waitFor()
    assert.match(await page.title(), /^Error: /)
    const alert = trimmed(await hear(page, '[role=alert]'))
    assert.equal(alert[1], 'heading "There is a problem" [level=2]')
    const missing = alert.flatMap((line) => (line.match(/^link "(.*)"$/) ?? []).slice(1))
    assert.ok(missing.length >= 2, alert.join('\n'))
    for (const name of ['Subject', 'Your message']) {
      const ids = (await page.getByRole('textbox', { name, exact: true }).getAttribute('aria-describedby'))!.split(' ')
      const described = (await Promise.all(ids.map((id) => page.locator(`#${id}`).textContent()))).join(' ')
      assert.ok(
        missing.some((text) => described.includes(`Error: ${text}`)),
        `${name}: ${described}`,
      )
    }
  })

  test('of pages for staff: parts, headings and forms have names too', async () => {
    const work = await openBrowser(browser, server.baseUrl, { viewport: { width: 1280, height: 800 } })
    await signInToWork(work, 'Mel Placeholder', '/department')
    for (const url of ['/department', '/department/write', '/department/batches', '/department/templates', '/department/logs']) {
      await work.goto(url)
      const heard = await hear(work)
      assert.deepEqual(parts(heard).slice(0, 4), ['link "Skip to main content"', 'banner', 'main', 'contentinfo'], url)
      assertHeadings(heard)
      for (const line of trimmed(heard))
        assert.doesNotMatch(
          line,
          /^(textbox|checkbox|radio|combobox|button|link|searchbox|img)$/,
          `${url}: something without a name`,
        )
    }
  })
})

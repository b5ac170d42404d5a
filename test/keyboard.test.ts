import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { launchBrowser } from './browser.ts'
import { tab, tabThrough, tabTo } from './keyboard.ts'
import { startServer, type TestServer } from './server.ts'
import { headingOf, openBrowser, sees, signIn, signInToWork } from './steps.ts'
import { until } from './until.ts'

/** A desk's and a phone's. What a desk's shows at 200 % is 640 by 360. */
const windows = [[1280, 800] as const, [375, 740] as const]
const bill = 'Your council tax bill for 2026 to 2027'

describe('by keyboard alone', { timeout: 1_800_000 }, () => {
  let server: TestServer
  let browser: Browser
  before(async () => {
    server = await startServer()
    browser = await launchBrowser()
  })
  after(async () => {
    await browser?.close()
    await server?.stop()
  })

  const open = async (name: string, width: number, height: number): Promise<Page> => {
    const page = await openBrowser(browser, server.baseUrl, { viewport: { width, height } })
    if (name === 'Rosa Example') await signIn(page, name)
    else await signInToWork(page, name, name === 'Bo Dummyname' ? '/registrar' : '/department')
    return page
  }
  /** What matches, or something in it, has the focus: once the script that gives it has been loaded. */
  const hasFocus = (page: Page, selector: string) =>
    until(
      () => page.evaluate<boolean>(`document.activeElement.closest(${JSON.stringify(selector)}) !== null`),
      `focus on ${selector}`,
    )
  const enter = (page: Page) => page.keyboard.press('Enter')
  const isAt = (page: Page, heading: string) => page.getByRole('heading', { level: 1, name: heading }).waitFor()

  for (const [width, height] of [...windows, [640, 360] as const]) {
    const where = `in a window of ${width} by ${height}`

    test(`a letter is read with its document, and answered, ${where}`, async () => {
      const page = await open('Rosa Example', width, height)
      await page.goto('/inbox')
      await page.locator('[data-choose-all] input').waitFor()
      assert.equal((await tab(page))?.name, 'Skip to main content')
      await enter(page)
      await tab(page)
      await hasFocus(page, 'main')
      await tabTo(page, bill)
      await enter(page)
      await isAt(page, bill)
      await hasFocus(page, 'h1')

      const document = (await page.locator('.post-documents__name a').first().textContent())!.trim()
      await tabTo(page, document)
      await enter(page)
      await isAt(page, document)
      await page.locator('[data-pdf-viewer][data-drawn]').waitFor()
      await tabTo(page, 'Next page')
      await tabTo(page, /^Back to/, 'Shift+Tab')
      await enter(page)
      await isAt(page, bill)

      await tabTo(page, 'Answer')
      await enter(page)
      await page.waitForURL('**/answer')
      await page.getByLabel('Your answer').waitFor()
      await tabTo(page, 'Your answer')
      await page.keyboard.type('All of this is right.')
      await tabTo(page, 'Send')
      await enter(page)
      await sees(page, 'What happens next')
      await page.context().close()
    })

    test(`the way through each page leads on, and one sees where one is, ${where}`, async () => {
      const page = await open('Rosa Example', width, height)
      await page.goto('/inbox')
      const letter = (await page.getByRole('link', { name: bill }).getAttribute('href'))!
      await page.goto(letter)
      const document = (await page.locator('.post-documents__name a').first().getAttribute('href'))!
      const write = '/write/northfold-council/council-tax'
      const urls = [
        '/inbox',
        letter,
        document,
        '/to-do',
        '/search?q=bill',
        '/folders/new',
        write,
        '/write',
        '/my-details',
        '/more',
      ]
      for (const url of urls) {
        await page.goto(url)
        if (url === document) await page.locator('[data-drawn]').waitFor()
        const stops = await tabThrough(page)
        assert.ok(stops.length > 10, url)
      }
      await page.context().close()
      for (const [name, url] of [['Mel Placeholder', '/department/write'] as const, ['Bo Dummyname', '/registrar'] as const]) {
        const staff = await open(name, width, height)
        await staff.goto(url)
        await tabThrough(staff)
        await staff.context().close()
      }
    })
  }

  for (const [width, height] of windows) {
    const where = `in a window of ${width} by ${height}`

    test(`letters are chosen, filed, and filing is undone, ${where}`, async () => {
      const page = await open('Rosa Example', width, height)
      await page.goto('/inbox')
      await page.locator('[data-choose-all] input').waitFor()
      for (let chosen = 0; chosen < 2; chosen += 1) {
        await tabTo(page, /^Choose: /)
        await page.keyboard.press('Space')
      }
      await sees(page, /chosen:? 2/i)
      await tabTo(page, 'Archive', 'Shift+Tab')
      await enter(page)
      await sees(page, '2 letters are in the archive.')
      await hasFocus(page, '.post-done')
      assert.equal((await tab(page))?.name, 'Undo')
      await enter(page)
      await sees(page, 'Undone. 2 letters are as they were before.')
      await hasFocus(page, '.post-done')
      await page.context().close()
    })

    test(`a menu opens and closes, and gives the focus back, ${where}`, async () => {
      const page = await open('Rosa Example', width, height)
      await page.goto('/inbox')
      await page.locator('[data-choose-all] input').waitFor()
      assert.equal((await tabTo(page, 'More')).at(-1)?.tag, 'summary')
      await enter(page)
      assert.equal((await tab(page))?.name, 'Move to')
      await tabTo(page, 'Mark as unread')
      await page.keyboard.press('Escape')
      await hasFocus(page, '.post-bar__summary')
      assert.equal(await page.locator('.post-bar__menu').first().isVisible(), false)
      await page.context().close()
    })

    test(`the keys are explained in a dialog that keeps the focus, and gives it back, ${where}`, async () => {
      const page = await open('Rosa Example', width, height)
      await page.goto('/inbox')
      await page.locator('[data-choose-all] input').waitFor()
      const { name } = (await tabTo(page, 'Archive')).at(-1)!
      await page.keyboard.press('?')
      await page.getByRole('dialog').waitFor()
      await hasFocus(page, 'dialog')
      // Beyond its last stop there is the browser's own bar, and then the dialog again.
      for (let stops = 0; stops < 6; stops += 1) if (await tab(page)) await hasFocus(page, 'dialog')
      await page.keyboard.press('Escape')
      await page.getByRole('dialog').waitFor({ state: 'detached' })
      assert.equal(await page.evaluate('document.activeElement.textContent.trim()'), name)
      await page.context().close()
    })

    test(`what is wrong in a form has the focus, and leads to its field, ${where}`, async () => {
      const page = await open('Rosa Example', width, height)
      await page.goto('/write/northfold-council/council-tax')
      await tabTo(page, 'Send')
      await enter(page)
      await sees(page, 'There is a problem')
      await hasFocus(page, '.govuk-error-summary')
      const { name } = (await tab(page))!
      await enter(page)
      await hasFocus(page, 'input, textarea')
      const described = await page.evaluate('document.activeElement.getAttribute("aria-describedby")')
      const said = await page.locator(`#${String(described).split(' ').at(-1)}`).textContent()
      assert.ok(said!.includes(name), `“${said}” says “${name}”`)
      assert.match(await page.title(), /^Error: /)
      assert.ok(await headingOf(page))
      await page.context().close()
    })
  }
})

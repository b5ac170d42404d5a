import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Browser, BrowserContextOptions, CDPSession, Page } from 'playwright-core'
import { launchBrowser } from './browser.ts'
import { startServer, type TestServer } from './server.ts'
import { openBrowser, signIn, signInToWork } from './steps.ts'

/** Of script and style, as it comes over the wire. */
const bytesMax = 100_000
/** Of the window, by how far: what a browser's own rounding makes of nothing. */
const shiftMax = 0.0005
/** How long each script is under way, and the file of a document: long enough for the page to be shown without it. */
const scriptMs = 200
/** What a script does and loads when the page has been loaded. */
const settleMs = 500

describe('a page that is opened', { timeout: 1_800_000 }, () => {
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

  test('loads less than 100 kB of script and style, whichever comes first', async () => {
    for (const url of ['/', '/inbox', '/to-do', '/write/northfold-council/council-tax', '/search?q=bill', '/department']) {
      const page = await openBrowser(browser, server.baseUrl)
      if (url === '/department') await signInToWork(page, 'Mel Placeholder', url)
      else if (url !== '/') await signIn(page, 'Rosa Example')
      const state = await page.context().storageState()
      await page.context().close()
      // A browser that has nothing of ours yet.
      const fresh = await openBrowser(browser, server.baseUrl, { storageState: state })
      const weights: Promise<number>[] = []
      fresh.on('requestfinished', (request) => {
        if (!['script', 'stylesheet'].includes(request.resourceType())) return
        weights.push(request.sizes().then(({ responseBodySize }) => responseBodySize))
      })
      await fresh.goto(url)
      await fresh.waitForTimeout(settleMs)
      const bytes = (await Promise.all(weights)).reduce((sum, each) => sum + each, 0)
      assert.ok(weights.length >= 3 && bytes > 10_000, `${url} loads its style and its script`)
      assert.ok(bytes < bytesMax, `${url} loads ${bytes} bytes`)
      await fresh.context().close()
    }
  })

  test('searches once', async () => {
    const page = await openBrowser(browser, server.baseUrl)
    await signIn(page, 'Rosa Example')
    const searches: string[] = []
    page.on('request', (request) => {
      if (new URL(request.url()).pathname === '/search') searches.push(request.url())
    })
    await page.goto('/search?q=instalment')
    await page.waitForTimeout(settleMs * 3)
    assert.equal(searches.length, 1)
    await page.context().close()
  })

  for (const [width, height] of [[375, 740] as const, [1280, 800] as const])
    for (const javaScriptEnabled of [true, false])
      test(`moves nothing once it is shown, ${width} wide, ${javaScriptEnabled ? 'with' : 'without'} script`, async () => {
        const options = { javaScriptEnabled, viewport: { width, height } }
        const found: string[] = []
        const people = await begin(options, (page) => signIn(page, 'Rosa Example'))
        const letter = await hrefOf(people.page, '/inbox', '.post-list__subject a:text("Your council tax bill")')
        const document = await hrefOf(people.page, letter, '.post-documents__name a')
        const urls = ['/', '/inbox', letter, document, '/to-do', '/search?q=bill', '/sent', '/write', '/my-details', '/more']
        for (const url of [...urls, '/write/northfold-council/council-tax', '/folders', '/status'])
          found.push(...(await shiftsOf(people, url)))
        await people.page.context().close()
        const staff = await begin(options, (page) => signInToWork(page, 'Mel Placeholder', '/department'))
        for (const url of ['/department', '/department/write', '/department/systems']) found.push(...(await shiftsOf(staff, url)))
        await staff.page.context().close()
        assert.deepEqual(found, [])
      })

  type Watched = { page: Page; devtools: CDPSession; isScripted: boolean }

  /** Somebody whose scripts and documents come late, as over a slow connection. */
  const begin = async (options: BrowserContextOptions, enter: (page: Page) => Promise<void>): Promise<Watched> => {
    const page = await openBrowser(browser, server.baseUrl, options)
    await enter(page)
    await page.route(/\.js$|\/files\//, async (route) => {
      await new Promise((resolve) => setTimeout(resolve, scriptMs))
      await route.continue()
    })
    const devtools = await page.context().newCDPSession(page)
    await devtools.send('PerformanceTimeline.enable', { eventTypes: ['layout-shift'] })
    return { page, devtools, isScripted: options.javaScriptEnabled !== false }
  }

  const hrefOf = async (page: Page, url: string, selector: string) => {
    await page.goto(url)
    return (await page.locator(selector).first().getAttribute('href'))!
  }

  /** The page, by how much of it moved, and what did; nothing where nothing did. */
  const shiftsOf = async ({ page, devtools, isScripted }: Watched, url: string): Promise<string[]> => {
    const shifts: { value: number; places: string[] }[] = []
    const listen: Parameters<typeof devtools.on<'PerformanceTimeline.timelineEventAdded'>>[1] = ({ event }) => {
      const { value, sources } = event.layoutShiftDetails!
      shifts.push({ value, places: sources.map(({ previousRect: a, currentRect: b }) => `${a.x},${a.y} to ${b.x},${b.y}`) })
    }
    devtools.on('PerformanceTimeline.timelineEventAdded', listen)
    await page.goto(url)
    // Its viewer shows itself, and what of it then moves, only when its script has come.
    if (isScripted && (await page.locator('[data-pdf-viewer]').count())) await page.locator('[data-drawn]').waitFor()
    await page.waitForTimeout(isScripted ? settleMs : settleMs / 5)
    devtools.off('PerformanceTimeline.timelineEventAdded', listen)
    return shifts.filter(({ value }) => value > shiftMax).map(({ value, places }) => `${url}: ${value} ${places.join('; ')}`)
  }
})

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { strFromU8, unzipSync } from 'fflate'
import PDFDocument from 'pdfkit'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { acceptOne } from '../src/delivery/accept.ts'
import { find } from '../src/mailbox/find.ts'
import { launchBrowser } from './browser.ts'
import { assertLooksRight } from './look-at.ts'
import { type Pages, startPages } from './pages.ts'
import { until } from './until.ts'

const body = `# Your bill

| Charge | Reason that is long | Due | Amount | Paid before | Still to pay |
|---|---|---|--:|--:|--:|
| Northfold Council | Services-of-the-council-and-its-neighbours | 1 April 2026 | £1,296.00 | £0.00 | £1,296.00 |

Pneumonoultramicroscopicsilicovolcanoconiosis-Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch

- by [Direct Debit](https://pay.northfold.example/a/very/long/address/that/has/no/place/to/break?with=parameters&and=more)

\`\`\`
code that is much wider than a telephone is, and should not make the page wider than the telephone
\`\`\`
`

/** Three pages with words, a link and a picture of nothing; the last has no words. */
async function makePdf(): Promise<Buffer> {
  const pdf = new PDFDocument({ size: 'A4' })
  const chunks: Buffer[] = []
  pdf.on('data', (chunk: Buffer) => chunks.push(chunk))
  const ended = new Promise((resolve) => pdf.on('end', resolve))
  pdf.fontSize(18).text('First page of the bill').text('More at our site', { link: 'https://www.northfold.example/bills' })
  pdf.addPage().text('Second page: what you pay')
  pdf.addPage().rect(50, 50, 300, 300).fill('teal')
  pdf.end()
  await ended
  return Buffer.concat(chunks)
}

describe('reading in a browser', () => {
  const now = { at: new Date('2026-11-23T10:00:00Z') }
  let pages: Pages
  let browser: Browser
  let address: string
  let letterId: string
  const fileIds = new Map<string, string>()
  before(async () => {
    pages = await startPages(now)
    const { db, keys, council, letter, rosa } = pages.post
    const file = (filename: string, mediaType: string, bytes: Buffer) => ({
      role: 'additional' as const,
      files: [{ filename, mediaType, content: bytes.toString('base64') }],
    })
    const documents = [
      file('bill.pdf', 'application/pdf', await makePdf()),
      file('broken.pdf', 'application/pdf', Buffer.from('%PDF-1.4\n1 0 obj <<>> endobj\ntrailer <<>>\n%%EOF')),
      file('note.txt', 'text/plain', Buffer.from('A note')),
    ]
    const content = [
      { language: 'en', body },
      { language: 'cy', subject: 'Eich bil', body: 'Bore da' },
    ]
    letterId = (await acceptOne(db, keys, council, { ...letter('whole'), content, documents }, now.at)).messageId
    for (const { files } of (await find(db, rosa, letterId)).documents) fileIds.set(files[0]!.filename, files[0]!.id)
    address = await pages.app.listen({ host: '127.0.0.1', port: 0 })
    pages.app.ownOrigin = address
    browser = await launchBrowser()
  })
  after(async () => {
    await browser?.close()
    await pages.stop()
  })

  const inBrowser = async (options: BrowserContextOptions, look: (page: Page, problems: string[]) => Promise<void>) => {
    const context = await browser.newContext({ ...options, baseURL: address })
    const cookie = await pages.signIn('rosa')
    await context.addCookies([{ ...cookie!, url: address }])
    const page = await context.newPage()
    const problems: string[] = []
    page.on('console', (message) => {
      if (message.type() === 'error') problems.push(`${page.url()}: ${message.text()}`)
    })
    page.on('pageerror', (error) => problems.push(`${page.url()}: ${error.message}`))
    try {
      await look(page, problems)
      assert.deepEqual(problems, [])
    } finally {
      await context.close()
    }
  }
  const documentOf = (name: string) => `/letters/${letterId}/documents/${fileIds.get(name)}`
  const drawn = (page: Page, number: number) => page.locator(`[data-pdf-viewer][data-drawn="${number}"]`).waitFor()

  test('a PDF is read page by page, by mouse and by keyboard, with its words as text', { timeout: 1_800_000 }, async () => {
    await inBrowser({ viewport: { width: 1280, height: 800 } }, async (page) => {
      await page.goto(documentOf('bill.pdf'))
      await drawn(page, 1)
      assert.equal(await page.locator('[data-status]').textContent(), 'Page 1 of 3')
      await page.locator('.post-viewer__text').getByText('First page of the bill').waitFor()
      const link = page.locator('.post-viewer__links a')
      assert.equal(await link.getAttribute('href'), 'https://www.northfold.example/bills')
      assert.match((await link.getAttribute('rel')) ?? '', /noopener noreferrer/)

      await page.getByRole('button', { name: 'Next page' }).click()
      await drawn(page, 2)
      await page.locator('.post-viewer__text').getByText('Second page: what you pay').waitFor()
      assert.equal(await page.getByLabel('Page', { exact: true }).inputValue(), '2')
      assert.equal(await page.getByRole('img', { name: 'Picture of page 2' }).count(), 1)

      await page.getByLabel('Page', { exact: true }).fill('3')
      await page.getByLabel('Page', { exact: true }).press('Enter')
      await drawn(page, 3)
      await page.getByText('This page is a picture.').waitFor()
      assert.equal(await page.getByRole('button', { name: 'Next page' }).getAttribute('aria-disabled'), 'true')

      await page.locator('[data-stage]').focus()
      await page.keyboard.press('Home')
      await drawn(page, 1)
      await page.keyboard.press('PageDown')
      await drawn(page, 2)

      await page.getByLabel('Page', { exact: true }).fill('99')
      await page.getByLabel('Page', { exact: true }).press('Tab')
      await drawn(page, 3)
    })
  })

  test('a PDF is made larger and smaller, and fits the width', { timeout: 1_800_000 }, async () => {
    await inBrowser({ viewport: { width: 1280, height: 800 }, deviceScaleFactor: 2 }, async (page) => {
      await page.goto(documentOf('bill.pdf'))
      await drawn(page, 1)
      const width = async () =>
        Number(await page.locator('[data-page]').evaluate((each) => (each as { clientWidth: number }).clientWidth))
      const fitted = await width()
      const canvas = page.locator('.post-viewer__canvas')
      assert.ok(Number(await canvas.getAttribute('width')) >= 2 * fitted - 2, 'sharp on a screen of many dots')
      await page.getByRole('button', { name: 'Make larger' }).click()
      await until(async () => (await width()) > fitted)
      await page.locator('[data-stage]').focus()
      await page.keyboard.press('-')
      await page.keyboard.press('-')
      await until(async () => (await width()) < fitted)
      await page.getByRole('button', { name: 'Fit the width' }).click()
      await until(async () => (await width()) === fitted)
    })
  })

  test('printing a PDF prints its pages, and leaves the page as it was', { timeout: 1_800_000 }, async () => {
    await inBrowser({}, async (page) => {
      await page.addInitScript(
        'globalThis.print = () => { globalThis.printed = document.querySelectorAll(".post-viewer__sheets canvas").length }',
      )
      await page.goto(documentOf('bill.pdf'))
      await drawn(page, 1)
      await page.getByRole('button', { name: 'Print' }).click()
      await until(async () => (await page.evaluate('globalThis.printed')) === 3)
      await page.evaluate('dispatchEvent(new Event("afterprint"))')
      assert.equal(await page.locator('.post-viewer__sheets').count(), 0)
    })
  })

  test('a damaged PDF says so, and can still be downloaded', { timeout: 1_800_000 }, async () => {
    await inBrowser({}, async (page) => {
      await page.goto(documentOf('broken.pdf'))
      await page.getByText('This document cannot be shown here.').waitFor()
      await page.getByRole('button', { name: 'Download', exact: true }).waitFor()
      await page.getByRole('button', { name: 'Open the document' }).waitFor()
    })
  })

  test('nothing of the viewer is loaded anywhere else', { timeout: 1_800_000 }, async () => {
    await inBrowser({}, async (page) => {
      const loaded: string[] = []
      page.on('request', (request) => loaded.push(request.url()))
      for (const url of ['/inbox', `/letters/${letterId}`, documentOf('note.txt')]) await page.goto(url)
      assert.deepEqual(
        loaded.filter((url) => url.includes('pdf')),
        [],
      )
    })
  })

  test('without JavaScript the document opens and downloads, a letter prints, and an archive comes', {
    timeout: 1_800_000,
  }, async () => {
    await inBrowser({ javaScriptEnabled: false, acceptDownloads: true }, async (page) => {
      await page.goto(documentOf('bill.pdf'))
      assert.equal(await page.locator('[data-pdf-viewer]').isVisible(), false)
      const open = page.getByRole('button', { name: 'Open the document' })
      assert.equal(await open.getAttribute('href'), `/letters/${letterId}/files/${fileIds.get('bill.pdf')}`)
      await page.goto(`/letters/${letterId}`)
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('link', { name: 'Download with all documents' }).click(),
      ])
      const files = unzipSync(readFileSync(await download.path()))
      assert.equal(strFromU8(files['documents/note.txt']!), 'A note')
      await page.getByRole('link', { name: 'Print', exact: true }).click()
      await page.getByRole('heading', { name: 'Proof' }).waitFor()
      assert.equal(await page.locator('[data-print]').isVisible(), false)
      await page.goto('/my-details/download')
      await page.getByRole('heading', { name: 'Download everything' }).waitFor()
      const [everything] = await Promise.all([
        page.waitForEvent('download'),
        page
          .getByRole('button', { name: /^Download/ })
          .first()
          .click(),
      ])
      assert.ok(unzipSync(readFileSync(await everything.path()))['index.html'])
    })
  })

  test('on paper there is the letter, and nothing to press', { timeout: 1_800_000 }, async () => {
    await inBrowser({ colorScheme: 'dark' }, async (page) => {
      await page.goto(`/letters/${letterId}/print`)
      await page.emulateMedia({ media: 'print', colorScheme: 'dark' })
      for (const gone of ['.govuk-back-link', '[data-print]']) assert.equal(await page.locator(gone).isVisible(), false, gone)
      assert.equal(await page.evaluate('getComputedStyle(document.body).backgroundColor'), 'rgb(255, 255, 255)')
      const pdf = await page.pdf({ format: 'A4' })
      assert.ok(pdf.length > 1_000)
    })
  })

  test('where one reads, everything looks right', { timeout: 1_800_000 }, async () => {
    await inBrowser({ viewport: { width: 375, height: 740 } }, async (page) => {
      const letter = `/letters/${letterId}`
      const urls = ['/inbox', letter, `${letter}?lang=cy`, `${letter}/print`, `${letter}/proof`, documentOf('bill.pdf')]
      for (const url of [...urls, documentOf('note.txt'), '/my-details/download', '/write?lang=en']) {
        await page.goto(url)
        if (url === documentOf('bill.pdf')) await drawn(page, 1)
        await assertLooksRight(page)
      }
    })
  })
})

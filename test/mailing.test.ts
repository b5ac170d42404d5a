import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { releaseAll } from '../src/delivery/release.ts'
import { workOnMailings } from '../src/delivery/work-on-mailings.ts'
import { every, type Loop } from '../src/every.ts'
import { launchBrowser } from './browser.ts'
import { limits } from './mailings.ts'
import { type Pages, startPages } from './pages.ts'
import { follow, headingOf, openBrowser, press, sees } from './steps.ts'

const people = 497

/** Five hundred rows, of whom three are nobody here. */
function bills(change: (row: string[], place: number) => string[] = (row) => row): string {
  const rows = Array.from({ length: 500 }, (_, place) =>
    change([place < people ? `CT-${place + 1}` : `GONE-${place}`, `Person ${place}`, `${place}.50`], place),
  )
  return ['identifier,first name,amount', ...rows.map((row) => row.join(','))].join('\r\n')
}

describe('a letter to everybody in a spreadsheet', () => {
  const now = { at: new Date('2026-11-23T10:00:00Z') }
  let pages: Pages
  let browser: Browser
  let address: string
  let worker: Loop | undefined
  before(async () => {
    pages = await startPages(now)
    for (let number = 3; number <= people; number += 1) await pages.post.addPerson(`CT-${number}`)
    address = await pages.app.listen({ host: '127.0.0.1', port: 0 })
    pages.app.ownOrigin = address
    browser = await launchBrowser()
  })
  after(async () => {
    await worker?.stop()
    await browser?.close()
    await pages.stop()
  })

  const startWorker = () => {
    const { db, keys } = pages.post
    worker = every('Mailings', 100, (signal) => workOnMailings(db, keys, limits, () => now.at, signal))
  }
  const stopWorker = async () => {
    await worker?.stop()
    worker = undefined
  }
  const signIn = async (javaScriptEnabled: boolean): Promise<Page> => {
    const page = await openBrowser(browser, address, { javaScriptEnabled })
    await page.context().addCookies([{ ...(await pages.signIn('staff'))!, url: address }])
    return page
  }
  const upload = async (page: Page, csv: string | Buffer) => {
    const file = { name: 'bills.csv', mimeType: 'text/csv', buffer: Buffer.from(csv) }
    await page.locator('input[type=file]').setInputFiles(file)
    await press(page, 'Check the file')
  }
  const download = async (page: Page, name: RegExp) => {
    const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name }).first().click()])
    return readFileSync(await file.path(), 'utf8')
  }
  /** Of the newest batch: all, and those that are in a mailbox. */
  const countLetters = async () => {
    const [counts] = await pages.post.owner<{ ledger: number; there: number }[]>`
      select count(*)::int as ledger, count(message.id)::int as there
      from ledger left join message on message.mailbox_id = ledger.mailbox_id and message.id = ledger.message_id
      where batch_id = (select id from batch order by id desc limit 1)`
    return { ...counts! }
  }
  /** By the link, or by itself where scripts run. */
  const waitUntil = async (page: Page, heading: string, script: boolean) => {
    const found = page.getByRole('heading', { name: heading, exact: true })
    for (let tries = 0; !(await found.isVisible()) && tries < 100; tries += 1) {
      if (!script) await follow(page, 'See how far it is now')
      await page.waitForTimeout(script ? 300 : 50)
    }
    await found.waitFor()
  }

  for (const script of [false, true]) {
    test(`is written, checked whole, mended, sent and seen to its end, ${script ? 'with' : 'without'} JavaScript`, async () => {
      // Ids of batches are in the order of their time.
      now.at = new Date(now.at.getTime() + 60_000)
      const page = await signIn(script)
      await page.goto('/department/templates')
      await press(page, 'Make a template')
      await page.getByLabel('Name of the template').fill('Bill')
      await page.getByLabel('Subject').first().fill('Your bill, ((first name))')
      await page.getByLabel('The letter', { exact: true }).fill('[Pay](https://pay.example/((amount)))')
      await press(page, 'Save the template')
      await sees(page, '((amount)) must not be in code or in the address of a link')
      await page.getByLabel('The letter', { exact: true }).fill('# Your bill\n\nYou owe **£((amount))**.')
      await press(page, 'Preview')
      await page.getByLabel('amount', { exact: true }).fill('[x](http://evil.example)')
      await press(page, 'Preview with these')
      assert.equal(await page.locator('.post-phone strong').textContent(), '£[x](http://evil.example)')
      const frame = await page.locator('.post-phone').boundingBox()
      assert.ok(frame!.width <= 375)
      await press(page, 'Save the template')
      await press(page, 'Make a mailing')
      await page.getByLabel('Name of the mailing').fill('Bills of November')
      await press(page, 'Continue')
      assert.equal(await headingOf(page), 'Bills of November')
      assert.equal(
        await download(page, /Download a file with these columns/),
        '\ufeffidentifier scheme,identifier,reference,first name,amount\r\n',
      )

      await upload(
        page,
        Buffer.from(
          bills((row, place) => (place === 40 ? ['CT-41', 'Zo\xeb', '1'] : row)),
          'latin1',
        ),
      )
      await sees(page, 'The file is not in UTF-8: row 42')
      const wrong = bills((row, place) => {
        if (place === 10) return [row[0]!, row[1]!, '']
        if (place === 20) return [row[0]!, '=A1', row[2]!]
        return place === 30 ? ['CT-1', row[1]!, row[2]!] : row
      })
      await upload(page, wrong)
      await sees(page, '3 errors in the file')
      const cells = await page.locator('tbody tr').allInnerTexts()
      assert.deepEqual(
        cells.map((row) => row.split('\t').slice(0, 2).join(' ')),
        ['12 amount', '22 first name', '32 identifier'],
      )
      assert.match(await download(page, /Download all errors/), /^12,amount,This is empty\.\r\n22,first name,This is a formula/m)

      await upload(page, bills())
      await sees(page, '0 of 500 recipients have been looked up')
      startWorker()
      await waitUntil(page, 'Ready to send', script)
      await stopWorker()
      await sees(page, '497 of the recipients can be reached here')
      assert.equal((await download(page, /Download who needs paper/)).trim().split('\r\n').length, 4)
      await sees(page, 'Row 2 as the recipient sees it')
      await follow(page, 'The next letter')
      await sees(page, 'Your bill, Person 1')
      await press(page, 'Send 497 letters')
      await sees(page, 'Say that those who cannot be reached are left out')
      await page.getByLabel('Send to the 497 who can be reached').check()
      await page.getByLabel('Hold them for a second look').check()
      await press(page, 'Send 497 letters')
      await sees(page, '0 of 497 letters have been accepted')
      startWorker()
      await waitUntil(page, 'Sent', script)
      await stopWorker()
      await sees(page, '497 of 497 letters were accepted')
      await follow(page, 'Look at some and release them')
      assert.equal(await headingOf(page), 'Bills of November')
      assert.deepEqual(await countLetters(), { ledger: people, there: 0 })
      await press(page, 'Release the batch')
      await press(page, `Release ${people} letters`)
      await releaseAll(pages.post.db, () => now.at)
      assert.deepEqual(await countLetters(), { ledger: people, there: people })
      await page.context().close()
    })
  }

  test('a template that two change at once is not lost to either', async () => {
    const [one, other] = [await signIn(false), await signIn(false)]
    await one.goto('/department/templates')
    await follow(one, 'Bill')
    await other.goto(one.url())
    for (const page of [one, other]) await press(page, 'Change the template')
    await one.getByLabel('Subject').first().fill('Changed by one')
    await other.getByLabel('Subject').first().fill('Changed by the other')
    await press(one, 'Save the template')
    await press(other, 'Save the template')
    await sees(other, 'has saved another version since you began')
    await sees(other, 'Changed by one')
    assert.equal(await other.getByLabel('Subject').first().inputValue(), 'Changed by the other')
    await press(other, 'Save the template')
    await follow(other, 'All versions')
    assert.equal(await other.getByRole('heading', { level: 2 }).count(), 3)
  })
})

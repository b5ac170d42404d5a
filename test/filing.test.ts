import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { unzipSync } from 'fflate'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { deriveInvitationKey } from '../src/access/grant-invitation.ts'
import { readConfig } from '../src/config.ts'
import { acceptOne } from '../src/delivery/accept.ts'
import { listFolder } from '../src/mailbox/list.ts'
import { launchBrowser } from './browser.ts'
import { buildGrantWorld } from './grants.ts'
import { assertLooksRight } from './look-at.ts'
import { type Pages, startPages } from './pages.ts'

const oddName = `Tax & "rates" <b>2026</b> 'ö' 🏠 ${'x'.repeat(20)}`

/** How people live with their letters, in a real browser: with script and without. */
describe('filing in a browser', { timeout: 1_800_000 }, () => {
  const now = { at: new Date('2026-11-23T10:00:00Z') }
  let pages: Pages
  let browser: Browser
  let address: string
  let letters = 0
  before(async () => {
    pages = await startPages(now)
    address = await pages.app.listen({ host: '127.0.0.1', port: 0 })
    pages.app.ownOrigin = address
    browser = await launchBrowser()
  })
  after(async () => {
    await browser?.close()
    await pages.stop()
  })

  /** So many new letters, the newest last. */
  const deliver = async (count: number): Promise<string[]> => {
    const { db, keys, council, letter } = pages.post
    const ids: string[] = []
    for (let n = 0; n < count; n += 1) {
      letters += 1
      now.at = new Date(now.at.getTime() + 1_000)
      const submission = { ...letter(`letter-${letters}`), subject: `Letter number ${letters}` }
      ids.push((await acceptOne(db, keys, council, submission, now.at)).messageId)
    }
    return ids
  }
  const inWindow = async (options: BrowserContextOptions, look: (page: Page, other: Page) => Promise<void>) => {
    await pages.post.owner`delete from filing`
    await pages.post.owner`update message set folder = 'inbox', flagged = false, marked_unread = false`
    await pages.post.owner`delete from folder`
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options, baseURL: address })
    await context.addCookies([{ ...(await pages.signIn('rosa'))!, url: address }])
    try {
      await look(await context.newPage(), await context.newPage())
    } finally {
      await context.close()
    }
  }
  const countIn = async (folder: string) => (await listFolder(pages.post.db, pages.post.rosa, { folder })).total
  const open = (page: Page) => page.locator('main .post-bar__summary').first().click()

  for (const javaScriptEnabled of [true, false]) {
    const how = javaScriptEnabled ? 'with' : 'without'

    test(`ten letters are put into a folder with an odd name at once, and undone, ${how} script`, async () => {
      await deliver(12)
      await inWindow({ javaScriptEnabled }, async (page) => {
        await page.goto('/folders/new')
        await page.getByLabel('Name of the folder').fill(oddName)
        await page.getByRole('button', { name: 'Make a folder' }).click()
        await page.getByText('The folder is made.').waitFor()
        await page.goto('/inbox')
        const before = await countIn('inbox')
        await page.getByRole('button', { name: 'Archive' }).click()
        await page.getByRole('link', { name: 'Choose at least one letter' }).waitFor()
        for (const box of (await page.locator('input[name="letters"]').all()).slice(0, 10)) await box.check()
        await open(page)
        await page.getByLabel('Move to').selectOption({ label: oddName })
        await page.getByRole('button', { name: 'Move', exact: true }).click()
        await page.getByText(`10 letters are in ${oddName}.`).waitFor()
        assert.equal(await countIn('inbox'), before - 10)
        if (javaScriptEnabled) await assertLooksRight(page)
        await page.getByRole('button', { name: 'Undo' }).click()
        await page.getByText('Undone. 10 letters are as they were before.').waitFor()
        assert.equal(await countIn('inbox'), before)
      })
    })

    test(`a letter moved in another window while it is read says where it is now, ${how} script`, async () => {
      await deliver(1)
      await inWindow({ javaScriptEnabled }, async (page, other) => {
        for (const window of [page, other]) {
          await window.goto('/inbox')
          await window.locator('.post-list__subject a').first().click()
          await window.locator('.post-panes--letter').waitFor()
        }
        // As if it had not been told of it yet.
        await other.route('**/letters/*?again', (route) => route.abort())
        const toolbar = (window: Page) => window.locator('.post-filing--letter')
        await toolbar(page).getByRole('button', { name: 'Archive' }).click()
        await page.getByText('1 letter is in the archive.').waitFor()
        await toolbar(other).getByRole('button', { name: 'Bin' }).click()
        await other.getByText('This letter is in Archive now.').waitFor()
        assert.deepEqual([await countIn('archive'), await countIn('bin')], [1, 0])
      })
    })

    test(`letters that are chosen are downloaded as one archive, ${how} script`, async () => {
      await deliver(3)
      await inWindow({ javaScriptEnabled }, async (page) => {
        await page.goto('/inbox')
        for (const at of [0, 2]) await page.locator('input[name="letters"]').nth(at).check()
        await open(page)
        await page.getByText('Downloading counts as opening.').waitFor()
        const [download] = await Promise.all([
          page.waitForEvent('download'),
          page.getByRole('button', { name: 'Download (ZIP)' }).click(),
        ])
        assert.match(download.suggestedFilename(), /\.zip$/)
        const names = Object.keys(unzipSync(readFileSync(await download.path())))
        for (const number of [letters, letters - 2])
          assert.ok(
            names.some((name) => name.includes(`Letter number ${number}/`)),
            names.join(),
          )
        assert.ok(!names.some((name) => name.includes(`Letter number ${letters - 1}/`)))
        assert.equal(new URL(page.url()).pathname, '/inbox')
      })
    })

    test(`a folder changed in two windows asks, and never overwrites, ${how} script`, async () => {
      await inWindow({ javaScriptEnabled }, async (page, other) => {
        await page.goto('/folders/new')
        await page.getByLabel('Name of the folder').fill('Council')
        await page.getByRole('button', { name: 'Make a folder' }).click()
        const [own] = await pages.post.owner<{ id: string }[]>`select id from folder`
        for (const window of [page, other]) await window.goto(`/folders/${own!.id}/change`)
        const name = (window: Page) => window.getByLabel('Name of the folder')
        await name(page).fill('Town hall')
        await page.getByRole('button', { name: 'Save' }).click()
        await page.getByText('The folder is changed.').waitFor()
        await name(other).fill('City hall')
        await other.getByRole('button', { name: 'Save' }).click()
        await other.getByText('It is “Town hall” now.').first().waitFor()
        assert.equal(await name(other).inputValue(), 'City hall')
        await other.getByRole('button', { name: 'Save' }).click()
        await other.getByText('The folder is changed.').waitFor()
      })
    })

    test(`a note changed in two windows asks, and never overwrites, ${how} script`, async () => {
      const [id] = await deliver(1)
      await inWindow({ javaScriptEnabled }, async (page, other) => {
        for (const window of [page, other]) await window.goto(`/letters/${id}/note`)
        await page.getByLabel('Your note').fill('Ask Bo about this')
        await page.getByRole('button', { name: 'Save note' }).click()
        await page.getByText('The note is saved.').waitFor()
        await other.getByLabel('Your note').fill('Pay it on Friday')
        await other.getByRole('button', { name: 'Save note' }).click()
        await other.getByText('Ask Bo about this').waitFor()
        assert.equal(await other.getByLabel('Your note').inputValue(), 'Pay it on Friday')
        await other.getByRole('button', { name: 'Save note' }).click()
        await other.getByText('Pay it on Friday').waitFor()
      })
    })
  }

  test('a letter opens and the way back leads without the page being loaded again, by mouse and by keys', async () => {
    await deliver(3)
    await inWindow({}, async (page) => {
      await page.goto('/inbox')
      await page.locator('[data-choose-all] input').waitFor()
      let loads = 0
      page.on('load', () => {
        loads += 1
      })
      const names = await page.locator('.post-list__subject a').allTextContents()
      const heading = (name: string) => page.getByRole('heading', { level: 1, name })
      await page.getByRole('link', { name: names[1]! }).click()
      await heading(names[1]!).waitFor()
      assert.equal(await page.evaluate('document.activeElement.tagName'), 'H1')
      await page.goBack()
      await heading('Inbox').waitFor()
      assert.equal(await page.evaluate('document.activeElement.textContent'), names[1])
      await page.keyboard.press('j')
      assert.equal(await page.evaluate('document.activeElement.textContent'), names[2])
      await page.keyboard.press('k')
      await page.keyboard.press('k')
      await page.keyboard.press('o')
      await heading(names[0]!).waitFor()
      await page.keyboard.press('s')
      await page.getByText('1 letter is flagged.').waitFor()
      await page.keyboard.press('e')
      await page.getByText('1 letter is in the archive.').waitFor()
      await page.keyboard.press('?')
      await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor()
      await assertLooksRight(page)
      await page.getByRole('button', { name: 'Switch the shortcuts off' }).click()
      await page.keyboard.press('Escape')
      await page.keyboard.press('j')
      assert.notEqual(await page.evaluate('document.activeElement.className'), 'govuk-link')
      assert.equal(loads, 0)
    })
  })

  test('who speaks to their machine finds the keys from the inbox, and switches them off for good', async () => {
    await deliver(2)
    await inWindow({}, async (page) => {
      await page.goto('/inbox')
      await page.getByRole('link', { name: 'keyboard shortcuts', exact: true }).click()
      await page.getByRole('button', { name: 'Switch the shortcuts off' }).click()
      await page.getByRole('button', { name: 'Switch the shortcuts on' }).waitFor()
      await page.goto('/inbox')
      await page.locator('[data-choose-all] input').waitFor()
      for (const key of ['j', 'o', 'e']) await page.keyboard.press(key)
      await page.keyboard.press('?')
      await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor()
      assert.equal(new URL(page.url()).pathname, '/inbox')
      assert.equal(await countIn('archive'), 0)
    })
  })

  test('new post, and what is done in another window, appear without a reload, and what is chosen stays so', async () => {
    await deliver(2)
    await inWindow({}, async (page, other) => {
      await page.goto('/inbox')
      await page.locator('[data-choose-all] input').waitFor()
      await page.locator('input[name="letters"]').nth(1).check()
      const chosen = await page.locator('input[name="letters"]').nth(1).inputValue()
      await deliver(1)
      await page.getByRole('link', { name: `Letter number ${letters}`, exact: true }).waitFor({ timeout: 20_000 })
      assert.equal(await page.locator(`input[name="letters"][value="${chosen}"]`).isChecked(), true)
      await page.getByText('You have new post.').waitFor({ state: 'attached' })
      await other.goto('/inbox')
      await other.locator('input[name="letters"]').first().check()
      await other.getByRole('button', { name: 'Archive' }).click()
      await other.getByText('1 letter is in the archive.').waitFor()
      await page
        .getByRole('link', { name: `Letter number ${letters}`, exact: true })
        .waitFor({ state: 'detached', timeout: 20_000 })
    })
  })

  test('a letter that is open shows before long what another window has done with it, and a mark that it is unread stays', async () => {
    await deliver(1)
    await inWindow({}, async (page, other) => {
      for (const window of [page, other]) {
        await window.goto('/inbox')
        await window.locator('.post-list__subject a').first().click()
        await window.locator('.post-panes--letter').waitFor()
      }
      const toolbar = (window: Page) => window.locator('.post-filing--letter')
      await toolbar(other).getByRole('button', { name: 'Flag' }).click()
      await toolbar(page).getByRole('button', { name: 'Remove flag' }).waitFor({ timeout: 20_000 })
      await toolbar(other).locator('summary').click()
      const again = page.waitForResponse((response) => response.url().endsWith('?again'), { timeout: 20_000 })
      await toolbar(other).getByRole('button', { name: 'Mark as unread' }).click()
      await again
      const [row] = await pages.post.owner<{ marked: boolean }[]>`
        select marked_unread as marked from message where subject = ${`Letter number ${letters}`}`
      assert.equal(row!.marked, true)
    })
  })

  test('more windows than a browser has connections for show the same, also when the one that was opened last is closed', async () => {
    await deliver(1)
    await inWindow({}, async (page, other) => {
      const windows = [page, other]
      while (windows.length < 9) windows.push(await page.context().newPage())
      for (const window of windows) await window.goto('/inbox')
      const newest = (window: Page) => window.getByRole('link', { name: `Letter number ${letters}`, exact: true })
      await deliver(1)
      for (const window of windows) await newest(window).waitFor()
      await windows.pop()!.close()
      await deliver(1)
      for (const window of windows) await newest(window).waitFor()
    })
  })

  test('a window of one mailbox never shows another that was opened elsewhere as its own', async () => {
    const { arthur, owner, rosa } = pages.post
    await deliver(1)
    const world = buildGrantWorld(pages.post, now.at, deriveInvitationKey(readConfig({ DEMO: 'true' }).secretKey))
    await world.give(rosa, arthur)
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, baseURL: address })
    await context.addCookies([{ ...(await pages.signIn('arthur'))!, url: address }])
    const [own, other] = [await context.newPage(), await context.newPage()]
    await own.goto('/inbox')
    await other.goto('/mailboxes')
    await other.getByRole('button', { name: 'Open' }).click()
    await other.goto('/inbox')
    await other.getByRole('link', { name: `Letter number ${letters}`, exact: true }).waitFor()
    await own.getByText('You are in Rosa Example’s mailbox').waitFor()
    await own.getByRole('link', { name: `Letter number ${letters}`, exact: true }).waitFor()
    await other.getByRole('button', { name: 'Back to your own' }).click()
    await own.getByText('You are in Rosa Example’s mailbox').waitFor({ state: 'detached' })
    await context.close()
    await owner`update access_grant set ended_at = ${now.at}`
  })

  test('a session has five streams at most, of which a sixth ends the oldest, and none once it has ended', async () => {
    const cookie = (await pages.signIn('rosa'))!
    const headers = { cookie: `${cookie.name}=${cookie.value}` }
    assert.equal((await fetch(`${address}/live`)).status, 401)
    const ending = new AbortController()
    const streams: Response[] = []
    while (streams.length < 5) streams.push(await fetch(`${address}/live`, { headers, signal: ending.signal }))
    assert.deepEqual(
      new Set(streams.map((stream) => stream.headers.get('content-type'))),
      new Set(['text/event-stream; charset=utf-8']),
    )
    const sixth = await fetch(`${address}/live`, { headers, signal: ending.signal })
    assert.equal(sixth.status, 200)
    assert.match(await streams[0]!.text(), /event: end/)
    await pages.post.owner`delete from session`
    now.at = new Date(now.at.getTime() + 60_000)
    assert.match(await sixth.text(), /event: end/)
    ending.abort()
  })

  test('folders, and all that is done with them, look right', async () => {
    const [id] = await deliver(1)
    await inWindow({ viewport: { width: 375, height: 740 } }, async (page) => {
      const folder = await page.request.get('/folders/new')
      const [, csrf] = /name="csrf" value="([^"]+)"/.exec(await folder.text())!
      await page.request.post('/folders/new', {
        form: { csrf: csrf!, name: oddName, parent: '' },
        headers: { origin: address },
      })
      const [own] = await pages.post.owner<{ id: string }[]>`select id from folder`
      const urls = ['/inbox?show=flagged', '/inbox?show=unread', '/folders', '/folders/archive', '/folders/bin', '/folders/new']
      const more = [`/folders/${own!.id}`, `/folders/${own!.id}/change`, `/folders/${own!.id}/delete`, `/letters/${id}`]
      for (const url of [...urls, ...more, `/letters/${id}/note`, '/filing/erase', '/more', '/shortcuts']) {
        assert.equal((await page.goto(url))!.status(), 200, url)
        await assertLooksRight(page)
      }
      await page.goto(`/letters/${id}`)
      await open(page)
      await assertLooksRight(page)
    })
  })
})

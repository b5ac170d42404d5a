import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { launchBrowser } from './browser.ts'
import { callApi } from './call.ts'
import { assertLooksRight } from './look-at.ts'
import { startServer, type TestServer, takeToken } from './server.ts'
import {
  click,
  enterCode,
  fillDate,
  follow,
  goTo,
  headingOf,
  invite,
  openBrowser,
  openMailboxOf,
  press,
  sees,
  signIn,
  signInToWork,
} from './steps.ts'

const firm = 'Example Accountants Ltd'
const bakery = 'Example Bakery Ltd'

/** A bakery lets its accountants in as a firm, each person at a browser of their own: on narrow screens, and for one without JavaScript. */
describe('a firm that is let in', { timeout: 1_800_000 }, () => {
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

  const personAt = async (name: string, options = {}) => {
    const page = await openBrowser(browser, server.baseUrl, options)
    await signIn(page, name)
    return page
  }
  const send = async (subject: string, more: Record<string, unknown> = {}) => {
    const { status } = await callApi(server, await takeToken(server), 'POST', '/v1/messages', {
      reference: subject,
      service: 'council-tax',
      recipient: { scheme: 'link', value: 'CT-2001' },
      subject,
      content: [{ language: 'en', body: `This is ${subject}.` }],
      reply: { allowed: true },
      ...more,
    })
    assert.equal(status, 201)
  }
  const isRefused = async (page: Page, click: () => Promise<void>) => {
    const answered = page.waitForResponse((answer) => answer.request().isNavigationRequest())
    await click()
    assert.equal((await answered).status(), 403)
    assert.equal(await headingOf(page), 'You can no longer open that mailbox')
    await sees(page, 'You are in your own mailbox again')
  }
  const register = async () => {
    const bo = await openBrowser(browser, server.baseUrl)
    await signInToWork(bo, 'Bo Dummyname', '/registrar')
    await follow(bo, 'Register a business')
    await bo.getByLabel('Name of the business').fill(firm)
    await bo.getByLabel('Company number').fill('07654321')
    await bo.getByLabel('Full name of the administrator').fill('Gwen Enghraifft')
    await fillDate(bo, 'Birth date', ['11', '2', '1966'])
    await bo.getByLabel('Why do you do this?').fill('Application 12')
    await press(bo, 'Continue')
    await press(bo, 'Register the business')
    await sees(bo, firm)
    await bo.context().close()
  }

  const viewport = { width: 375, height: 800 }
  test('its people read and write for the client, under their own names and the firm’s, until either side ends it', async () => {
    await register()
    await send('Rates for your shop')
    await send('For the bakery alone', { recipientOnly: true })

    // 1. Gwen, who runs the firm, takes Priya on.
    const gwen = await personAt('Gwen Enghraifft', { viewport })
    await openMailboxOf(gwen, firm)
    await goTo(gwen, 'People')
    await press(gwen, 'Add somebody')
    const employment = await invite(gwen, { name: 'Priya', isEmployee: true, mayWrite: true })
    const priya = await personAt('Priya Specimen', { javaScriptEnabled: false, viewport })
    await enterCode(priya, employment)
    await press(priya, 'Accept')

    // 2. Arthur lets the firm into the bakery's mailbox. Gwen accepts, for the firm.
    const arthur = await personAt('Arthur Sample', { viewport })
    await openMailboxOf(arthur, bakery)
    await goTo(arthur, 'People')
    await press(arthur, 'Add somebody')
    const code = await invite(arthur, { name: 'Our accountants', isAdviser: true, mayWrite: true })
    await enterCode(gwen, code)
    await sees(gwen, `You are Gwen Enghraifft, and can accept for ${firm} or for yourself`)
    await assertLooksRight(gwen)
    await press(gwen, `Accept for ${firm}`)
    await sees(gwen, `Through ${firm}, as an adviser from outside. Read and write.`)
    await goTo(gwen, 'My details')
    await follow(gwen, 'Whose post you help with')
    await sees(gwen, `Whom ${firm} helps now`)
    await assertLooksRight(gwen)

    // 3. Priya finds the bakery's mailbox, reads what is not for the bakery alone, and answers.
    await openMailboxOf(priya, bakery, firm)
    const banner = priya.getByRole('region', { name: 'Whose mailbox is open' })
    assert.match(
      (await banner.textContent()) ?? '',
      /Example Bakery Ltd’s mailbox, as an adviser from outside, through Example Accountants Ltd \(read and write\)\. You are Priya Specimen/,
    )
    assert.equal(await priya.getByText('For the bakery alone').count(), 0)
    await follow(priya, 'Rates for your shop')
    await press(priya, 'Answer')
    await priya.locator('textarea').first().fill('The bakery pays on Monday.')
    await press(priya, 'Send')
    await priya.getByRole('heading', { name: 'Your message is with Northfold Council' }).waitFor()

    // 4. The bakery sees who did what, and through which firm.
    await goTo(arthur, 'My details')
    await follow(arthur, 'Who looked at what')
    for (const did of ['opened this mailbox', 'opened a letter: Rates for your shop', 'answered a letter'])
      await sees(arthur, `Priya Specimen of ${firm} (was let into this mailbox) ${did}`)
    await assertLooksRight(arthur)
    await goTo(arthur, 'Sent')
    await click(arthur.locator('.post-list a').first())
    await sees(arthur, `Written by Priya Specimen of ${firm} for ${bakery}`)

    // 5. Priya leaves the firm, and is out of the bakery's mailbox with the next click.
    await goTo(gwen, 'People')
    await follow(gwen, 'Priya Specimen')
    await press(gwen, 'End it now')
    await isRefused(priya, () => goTo(priya, 'Inbox'))
    await goTo(priya, 'Mailboxes')
    assert.equal(await priya.getByText(bakery).count(), 0)

    // 6. The bakery changes its accountants, and Gwen is out as well.
    await openMailboxOf(gwen, bakery, firm)
    await goTo(arthur, 'People')
    await assertLooksRight(arthur)
    await follow(arthur, firm)
    await sees(arthur, `Gwen Enghraifft for ${firm}`)
    await assertLooksRight(arthur)
    await press(arthur, 'End it now')
    await isRefused(gwen, () => goTo(gwen, 'Inbox'))
    for (const page of [gwen, priya, arthur]) await page.context().close()
  })
})

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { launchBrowser } from './browser.ts'
import { callApi } from './call.ts'
import { assertLooksRight } from './look-at.ts'
import { sealAll } from './seal-all.ts'
import { startServer, type TestServer, takeToken } from './server.ts'
import { follow, goTo, headingOf, openBrowser, press, sees, signIn, signInToWork } from './steps.ts'

const dayMs = 86_400_000
const inDays = (days: number) => new Date(Date.now() + days * dayMs).toISOString()

function newLetter(reference: string) {
  return {
    reference,
    service: 'council-tax',
    recipient: { scheme: 'link', value: 'CT-1001' },
    subject: `Things to do: ${reference}`,
    content: [{ language: 'en', body: 'We ask you to do some things.' }],
    actions: [
      { kind: 'pay', label: { en: `Pay ${reference}` }, until: inDays(2), amount: 12_000, reference: `payment ${reference}` },
      {
        kind: 'book',
        label: { en: `Meet us ${reference}` },
        appointment: { start: inDays(3), end: inDays(3.02), place: 'Town Hall, room 1', description: 'Bring the letter' },
      },
      { kind: 'confirm', label: { en: `Confirm ${reference}`, cy: `Cadarnhau ${reference}` }, until: inDays(-1) },
      { kind: 'self-service', label: { en: `Form ${reference}` }, url: 'https://submit.forms.service.gov.uk/form/1/a-form' },
    ],
  }
}

describe('what letters ask to do', { timeout: 1_800_000 }, () => {
  let server: TestServer
  let browser: Browser
  let folder: string
  before(async () => {
    server = await startServer()
    browser = await launchBrowser()
    folder = mkdtempSync(path.join(tmpdir(), 'dp-to-do-'))
  })
  after(async () => {
    await browser?.close()
    await server?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  for (const javaScriptEnabled of [true, false]) {
    test(`is paid, accepted, confirmed and marked, ${javaScriptEnabled ? 'with' : 'without'} JavaScript`, async () => {
      const check = (page: Page) => (javaScriptEnabled ? assertLooksRight(page) : Promise.resolve())
      const reference = javaScriptEnabled ? 'with' : 'without'
      const token = await takeToken(server)
      const sent = await callApi(server, token, 'POST', '/v1/messages', newLetter(reference))
      assert.equal(sent.status, 201, JSON.stringify(sent.body))
      const statesOf = async () => {
        const { body } = await callApi(server, token, 'GET', `/v1/messages/${sent.body.id}`)
        return body.actions.map(({ state }: { state: string }) => state)
      }
      assert.deepEqual(await statesOf(), ['open', 'open', 'open', 'open'])

      // The inbox says that there is something, the list says what.
      const page = await openBrowser(browser, server.baseUrl, { javaScriptEnabled, viewport: { width: 375, height: 800 } })
      await signIn(page, 'Rosa Example')
      await sees(page, /overdue/)
      await check(page)
      if (javaScriptEnabled) await goTo(page, 'To do')
      else await page.goto('/to-do')
      await sees(page, `Confirm ${reference}`)
      await check(page)

      // A bill is paid at the stand-in for GOV.UK Pay: at the second try.
      await page.goto(`/letters/${sent.body.id}`)
      await check(page)
      await press(page, 'Pay £120.00')
      await sees(page, 'Enter card details')
      await check(page)
      await press(page, 'Have the card refused')
      await sees(page, 'The last payment did not go through')
      await check(page)
      await press(page, 'Pay £120.00')
      await press(page, 'Pay')
      await page.locator('.govuk-panel', { hasText: 'Paid' }).waitFor()
      await check(page)
      assert.deepEqual(await statesOf(), ['done', 'open', 'open', 'open'])

      // An appointment is accepted, and taken into a calendar.
      await page.goto(`/letters/${sent.body.id}`)
      await press(page, 'Accept the appointment')
      await page.locator('.govuk-panel', { hasText: 'Accepted' }).waitFor()
      const ics = await page.getByRole('link', { name: 'Add to your calendar' }).getAttribute('href')
      const file = await page.request.get(ics!)
      assert.match(file.headers()['content-type']!, /^text\/calendar/)
      const text = await file.text()
      assert.match(text, /^BEGIN:VCALENDAR\r\n[\s\S]*LOCATION:Town Hall\\, room 1\r\n[\s\S]*END:VCALENDAR/)
      assert.match(text, /UID:[0-9a-f-]{36}@/)
      assert.equal(await (await page.request.get(ics!)).text(), text, 'the same again')

      // A confirmation is made on a page that says what follows.
      await page.goto(`/letters/${sent.body.id}`)
      await press(page, 'Confirm')
      assert.equal(await headingOf(page), `Confirm ${reference}`)
      await sees(page, 'you cannot take it back')
      await check(page)
      await press(page, 'Confirm')
      await page.locator('.govuk-panel', { hasText: 'Confirmed' }).waitFor()

      // A form elsewhere is marked by hand, and the mark taken back.
      await page.goto(`/letters/${sent.body.id}`)
      await press(page, 'I have done this')
      await press(page, 'I have not done this')
      await sees(page, `Form ${reference}`)
      assert.deepEqual(await statesOf(), ['done', 'done', 'done', 'open'])
      await page.goto('/to-do?show=done')
      await sees(page, `Confirm ${reference}`)
      await check(page)

      // The sender's feed tells it in order.
      const { body: feed } = await callApi(server, token, 'GET', '/v1/events')
      const told = feed.events.filter(
        (event: { messageId: string; action?: object }) => event.messageId === sent.body.id && event.action,
      )
      assert.deepEqual(
        told.map(({ action }: { action: { kind: string; state: string } }) => `${action.kind} ${action.state}`),
        [
          'pay started',
          'pay failed',
          'pay started',
          'pay done',
          'book done',
          'confirm done',
          'self-service done',
          'self-service open',
        ],
      )

      // And the receipt of the confirmation proves it to anybody.
      await sealAll(server.test.database, server.config, server.baseUrl, new Date())
      const confirmed = told.find(({ action }: { action: { kind: string } }) => action.kind === 'confirm')
      await page.goto(`/letters/${sent.body.id}/proof`)
      await sees(page, `“Confirm ${reference}” was confirmed by Rosa Example`)
      const receipt = await page.request.get(`/letters/${sent.body.id}/proof/${confirmed.id}`)
      writeFileSync(path.join(folder, 'receipt'), await receipt.body())
      writeFileSync(path.join(folder, 'keys.json'), await (await fetch(`${server.baseUrl}/log/keys.json`)).text())
      const main = path.join(import.meta.dirname, '../src/main.ts')
      const words = [main, 'verify', 'receipt', '--trust', 'keys.json']
      const { stdout } = spawnSync(process.execPath, words, { cwd: folder, env: { PATH: process.env.PATH }, encoding: 'utf8' })
      assert.match(stdout, new RegExp(`^Valid\\. .*“Confirm ${reference}”, was confirmed on .* by Rosa Example`, 'm'))
    })
  }

  test('is the same in every window before long, and nobody pays for what was paid in another', async () => {
    const token = await takeToken(server)
    const { body } = await callApi(server, token, 'POST', '/v1/messages', newLetter('windows'))
    const context = await browser.newContext({ baseURL: server.baseUrl, viewport: { width: 1280, height: 860 } })
    const open = async (address: string) => {
      const page = await context.newPage()
      await page.goto(address)
      return page
    }
    const first = await context.newPage()
    await signIn(first, 'Rosa Example')
    const [letter, list, paying] = [await open(`/letters/${body.id}`), await open('/to-do'), await open('/to-do')]
    await follow(paying, 'Pay windows')
    const action = await open(paying.url())
    await press(paying, 'Pay £120.00')
    await sees(action, 'A payment has been started')
    await press(paying, 'Pay')
    await paying.locator('.govuk-panel', { hasText: 'Paid' }).waitFor()
    await action.locator('.govuk-panel', { hasText: 'Paid' }).waitFor({ timeout: 15_000 })
    await letter
      .locator('.post-action', { hasText: 'Pay windows' })
      .getByText('Paid', { exact: true })
      .waitFor({ timeout: 15_000 })
    await list.getByRole('link', { name: 'Pay windows' }).waitFor({ state: 'detached', timeout: 15_000 })
    await paying.goto(`/letters/${body.id}`)
    await press(paying, 'Confirm')
    await press(paying, 'Confirm')
    await paying.locator('.govuk-panel', { hasText: 'Confirmed' }).waitFor()
    await paying.goto('/inbox')
    const due = (await paying.locator('.post-due').textContent())!.trim()
    await first.locator('.post-due').getByText(due).waitFor({ timeout: 15_000 })
    await context.close()
  })

  test('can be read by a calendar at a private address, until that is replaced', async () => {
    const page = await openBrowser(browser, server.baseUrl)
    await signIn(page, 'Rosa Example')
    await page.goto('/to-do')
    await follow(page, 'Show these dates in your calendar')
    await assertLooksRight(page)
    await press(page, 'Make an address')
    await assertLooksRight(page)
    const address = await page.getByLabel('Private address').inputValue()
    const read = async (url: string) => {
      const answer = await fetch(url)
      return { status: answer.status, text: (await answer.text()).replaceAll('\r\n ', '') }
    }
    const first = await read(address)
    assert.match(first.text, /SUMMARY:Pay your first instalment[^\r]*\(Northfold Council\)/)
    await follow(page, 'I have copied it')
    await page.getByLabel('Say only that there is something').check()
    await press(page, 'Make another address')
    const discreet = await page.getByLabel('Private address').inputValue()
    assert.equal((await read(address)).status, 404)
    const { text } = await read(discreet)
    assert.match(text, /something to do/)
    assert.doesNotMatch(text, /Northfold|instalment/)
    await page.goto('/to-do/calendar')
    await press(page, 'Remove the address')
    assert.equal((await read(discreet)).status, 404)
    assert.equal((await read(`${server.baseUrl}/calendar/${'a'.repeat(43)}.ics`)).status, 404)
  })

  test('is looked after by staff: which sites, and which account', async () => {
    const page = await openBrowser(browser, server.baseUrl)
    await signInToWork(page, 'Mel Placeholder', '/department')
    await goTo(page, 'Systems')
    await follow(page, 'sites that letters lead to')
    await assertLooksRight(page)
    await page.getByLabel('Add a site').fill('not a site')
    await press(page, 'Add the site')
    await sees(page, 'There is a problem')
    assert.equal(await page.getByLabel('Add a site').inputValue(), 'not a site')
    await assertLooksRight(page)
    await page.getByLabel('Add a site').fill('https://book.northfold.example/visits')
    await press(page, 'Add the site')
    await sees(page, 'book.northfold.example')
    await press(page, 'Remove book.northfold.example')
    await page.goto('/department/payments')
    await assertLooksRight(page)
    await follow(page, 'Libraries')
    await press(page, 'Save')
    await sees(page, 'There is a problem')
    await assertLooksRight(page)
    await page.getByLabel('API key').fill('api_test_of-the-library')
    await press(page, 'Save')
    await sees(page, 'Webhook address')
    await assertLooksRight(page)
    assert.doesNotMatch(await page.content(), /of-the-library/)
    await press(page, 'Remove the account')
    await sees(page, 'The service takes no payments yet')
  })

  test('is in Welsh for who reads Welsh', async () => {
    const page = await openBrowser(browser, server.baseUrl)
    await signIn(page, 'Rosa Example')
    await page.goto('/to-do?lang=cy')
    assert.equal(await headingOf(page), 'I’w wneud')
    await sees(page, 'Talu eich rhandaliad cyntaf')
    await assertLooksRight(page)
  })
})

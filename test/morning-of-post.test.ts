import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Browser, Download, Page } from 'playwright-core'
import { audit, auditKeysOf } from '../src/evidence/audit.ts'
import { openEvidence } from '../src/evidence/open-evidence.ts'
import { indexNextMailbox } from '../src/mailbox/index-documents.ts'
import { launchBrowser } from './browser.ts'
import { callApi } from './call.ts'
import { assertLooksRight } from './look-at.ts'
import { sealAll } from './seal-all.ts'
import { startServer, type TestServer, takeToken } from './server.ts'
import { click, follow, headingOf, openBrowser, press, sees, signIn } from './steps.ts'
import { until } from './until.ts'

/**
 * A morning of post, on a phone: what is due, a bill, an appointment, an old letter, an answer, and a tidy inbox; then all of it in
 * Welsh. Once with JavaScript and once without. The letters are the demo's, and ten that come over the API.
 */
const phone = { viewport: { width: 375, height: 740 }, isMobile: true, hasTouch: true }
const letters = path.join(import.meta.dirname, '../demo/letters')
const statement = readFileSync(path.join(letters, 'how-council-tax-is-spent.pdf'))
const meter = Buffer.from('Meter: 1234')

const subjectOf = (number: number) => `Your bin day changes: notice ${number}`
const welshSubjectOf = (number: number) => `Mae eich diwrnod bin yn newid: hysbysiad ${number}`
const newNotice = (number: number) => ({
  reference: `notice-${number}`,
  service: 'council-tax',
  recipient: { scheme: 'link', value: 'CT-1001' },
  subject: subjectOf(number),
  content: [
    { language: 'en', body: 'We collect your rubbish on Tuesdays now.' },
    {
      language: 'cy',
      subject: welshSubjectOf(number),
      body: '## Y newid\n\nDaw’r ysbwriel ddydd Mawrth.',
    },
  ],
})
const notices = Array.from({ length: 10 }, (_, index) => index + 1)

for (const javaScriptEnabled of [true, false]) {
  describe(`a morning of post, ${javaScriptEnabled ? 'with' : 'without'} JavaScript`, { timeout: 1_800_000 }, () => {
    let server: TestServer
    let browser: Browser
    let token: string
    let page: Page
    /** Of the ten. */
    const ids: string[] = []
    before(async () => {
      server = await startServer()
      browser = await launchBrowser()
      token = await takeToken(server)
      page = await openBrowser(browser, server.baseUrl, { ...phone, javaScriptEnabled })
    })
    after(async () => {
      await browser?.close()
      await server?.stop()
    })

    const check = () => (javaScriptEnabled ? assertLooksRight(page) : Promise.resolve())
    const api = async (method: string, address: string, body?: unknown) => {
      const answer = await callApi(server, token, method, address, body)
      assert.ok(answer.status < 300, `${method} ${address}: ${JSON.stringify(answer.body)}`)
      return answer.body
    }
    const due = async () => (await page.locator('.post-due').textContent())!.trim()

    test('goes by, from what is due to a tidy inbox, and is read in Welsh too', async () => {
      for (const number of notices) ids.push((await api('POST', '/v1/messages', newNotice(number))).id)

      // What is due stands at the top.
      await signIn(page, 'Rosa Example')
      assert.equal(await headingOf(page), 'Inbox')
      assert.equal(await due(), '1 thing is overdue. 2 things to do in the next 7 days')
      await check()
      await click(page.locator('.post-due a'))
      assert.equal(await headingOf(page), 'To do')
      assert.deepEqual(await inGroup(page, 'Overdue'), ['Confirm that this is right'])
      assert.deepEqual(await inGroup(page, 'In the next 7 days'), ['Pay your first instalment', 'Meet us at the parking bay'])
      await check()

      await payTheBill()
      await acceptTheAppointment()
      await tab(page, 'Inbox')
      assert.equal(await due(), '1 thing is overdue')
      await findTheOldLetter()
      await answerWithTwoFiles()
      await fileTenAtOnce()
      await readInWelsh()
      await auditEvidence()
    })

    /** Whoever pays may never come back: then the signed webhook alone tells us. */
    async function payTheBill(): Promise<void> {
      const told: { signature: unknown; status: number }[] = []
      server.app.server.on('request', ({ url, headers }, response) => {
        if (url?.startsWith('/pay/webhook/'))
          response.on('finish', () => told.push({ signature: headers['pay-signature'], status: response.statusCode }))
      })
      await follow(page, 'Pay your first instalment')
      assert.equal(await headingOf(page), 'Pay your first instalment')
      await check()
      const [, messageId] = /\/to-do\/([^/]+)\//.exec(page.url())!
      const action = page.url()
      const stateOf = async () => {
        const { actions } = await api('GET', `/v1/messages/${messageId}`)
        return actions.find(({ kind }: { kind: string }) => kind === 'pay').state
      }
      assert.equal(await stateOf(), 'open')
      await press(page, 'Pay £119.16')
      await sees(page, 'Enter card details')
      await sees(page, '£119.16')
      await check()
      assert.equal(await stateOf(), 'started')

      // The way back is lost.
      await page.route('**/pay-stand-in/*', async (route) => {
        const answer = await route.fetch({ maxRedirects: 0 })
        assert.equal(answer.status(), 303)
        assert.equal(answer.headers().location, `${action}/returned`)
        await route.fulfill({ contentType: 'text/html', body: '<h1>No connection</h1>' })
      })
      await press(page, 'Pay')
      await sees(page, 'No connection')
      await page.unroute('**/pay-stand-in/*')
      await until(async () => (await stateOf()) === 'done')
      // The provider may have its answer a moment later.
      await until(() => told.length > 0)
      assert.equal(told.length, 1)
      assert.match(String(told[0]!.signature), /^[0-9a-f]{64}$/)
      assert.equal(told[0]!.status, 200)

      await page.goto(action)
      await page.locator('.govuk-panel', { hasText: 'Paid' }).waitFor()
      await check()
      await follow(page, 'Back to your list')
      assert.deepEqual(await inGroup(page, 'In the next 7 days'), ['Meet us at the parking bay'])
    }

    async function acceptTheAppointment(): Promise<void> {
      await follow(page, 'Meet us at the parking bay')
      await check()
      await press(page, 'Accept the appointment')
      await page.locator('.govuk-panel', { hasText: 'Accepted' }).waitFor()
      await check()
      const [download] = await Promise.all([page.waitForEvent('download'), follow(page, 'Add to your calendar')])
      assert.equal(download.suggestedFilename(), 'appointment.ics')
      const calendar = (await bytesOf(download)).toString().replaceAll('\r\n ', '')
      assert.match(calendar, /^BEGIN:VCALENDAR\r\n[\s\S]*END:VCALENDAR\r?\n?$/)
      assert.match(calendar, /\r\nSUMMARY:Meet us at the parking bay/)
      assert.match(calendar, /\r\nLOCATION:Sample Street\\, Northfold\\, zone N2\r\n/)
      assert.match(calendar, /\r\nDTSTART:\d{8}T100000Z\r\n/)
      await tab(page, 'To do')
      assert.deepEqual(await inGroup(page, 'Appointments you have accepted'), ['Meet us at the parking bay'])
    }

    /** “lent” stands in no letter of the world, but in the PDF of an old one. */
    async function findTheOldLetter(): Promise<void> {
      const said = await server.test.owner`select from message where (subject || content::text) ~* '\\mlent'`
      assert.equal(said.length, 0)
      await tab(page, 'Search')
      assert.equal(await headingOf(page), 'Search your letters')
      await check()
      await page.getByRole('searchbox').fill('lent')
      await press(page, 'Search')
      await sees(page, 'We are still reading')
      assert.equal(await page.locator('.post-results li').count(), 0)
      await readDocuments(server)
      // By itself with JavaScript.
      if (!javaScriptEnabled) await follow(page, 'Search again')
      await sees(page, '1 letter found')
      const found = page.locator('.post-results li')
      assert.equal(await found.count(), 1)
      assert.match((await found.textContent())!, /Northfold Council\s*Parking[\s\S]*In the document parking-permit\.pdf:/)
      assert.deepEqual(await found.locator('mark').allTextContents(), ['lent'])
      await check()
      await follow(page, 'Your residents’ parking permit')
      await page.getByRole('heading', { level: 1, name: 'Your residents’ parking permit' }).waitFor()
      await check()
      const document = page.locator('main').getByRole('link', { name: 'Your residents’ parking permit' }).first()
      await document.click()
      await page.waitForURL('**/documents/*')
      await check()
      const address = await page.locator('a[href*="/files/"]').first().getAttribute('href')
      const file = await page.request.get(address!)
      assert.deepEqual(await file.body(), readFileSync(path.join(letters, 'parking-permit.pdf')))
    }

    async function answerWithTwoFiles(): Promise<void> {
      await tab(page, 'Inbox')
      await follow(page, 'Your council tax bill for 2026 to 2027')
      await page.getByRole('heading', { level: 1, name: 'Your council tax bill for 2026 to 2027' }).waitFor()
      const [, letterId] = /\/letters\/([0-9a-f-]{36})/.exec(page.url())!
      await press(page, 'Answer')
      await check()
      await page.getByLabel('Your answer').fill('The bill is right. Both papers are here.')
      await page.getByLabel('Add files').setInputFiles([
        { name: 'statement.pdf', mimeType: 'application/pdf', buffer: statement },
        { name: 'meter.txt', mimeType: 'text/plain', buffer: meter },
      ])
      if (!javaScriptEnabled) await press(page, 'Add the files that I chose')
      for (const name of ['statement.pdf', 'meter.txt']) await page.getByRole('link', { name }).waitFor()
      assert.equal(await page.getByLabel('Your answer').inputValue(), 'The bill is right. Both papers are here.')
      await check()
      await press(page, 'Send')
      await sees(page, 'What happens next')
      await check()

      // The council has it, byte for byte.
      const { messages } = await api('GET', '/v1/inbox')
      const answer = messages.find(({ answers }: { answers: string }) => answers === letterId)
      assert.equal(answer.content[0].body, 'The bill is right. Both papers are here.')
      assert.deepEqual(answer.sender, { name: 'Rosa Example', identifier: { scheme: 'link', value: 'CT-1001' } })
      type File = { filename: string; links: { self: string } }
      const files = answer.documents.flatMap((document: { files: File[] }) => document.files) as File[]
      assert.deepEqual(files.map(({ filename }) => filename).sort(), ['meter.txt', 'statement.pdf'])
      await api('GET', answer.links.self)
      for (const { filename, links } of files) {
        const answered = await fetch(server.baseUrl + links.self, { headers: { authorization: `Bearer ${token}` } })
        assert.deepEqual(Buffer.from(await answered.arrayBuffer()), filename === 'meter.txt' ? meter : statement)
      }
    }

    async function fileTenAtOnce(): Promise<void> {
      const ten = notices.map(subjectOf)
      const archived = async () => {
        await page.goto('/folders/archive')
        assert.equal(await headingOf(page), 'Archive')
        const subjects = await page.locator('.post-list__subject a').allTextContents()
        await tab(page, 'Inbox')
        return subjects.sort()
      }
      const archive = async () => {
        for (const subject of ten) await page.getByLabel(`Choose: ${subject}`, { exact: true }).check()
        await press(page, 'Archive')
        await sees(page, '10 letters are in the archive.')
        await check()
        for (const subject of ten) assert.equal(await page.getByRole('link', { name: subject, exact: true }).count(), 0)
      }
      await tab(page, 'Inbox')
      const before = await page.locator('.post-list__subject a').allTextContents()
      await archive()
      assert.equal(await page.locator('.post-list__subject a').count(), before.length - 10)
      await press(page, 'Undo')
      await sees(page, 'Undone. 10 letters are as they were before.')
      assert.deepEqual(await page.locator('.post-list__subject a').allTextContents(), before)
      await check()
      assert.deepEqual(await archived(), [])
      await archive()
      assert.deepEqual(await archived(), [...ten].sort())
      for (const id of ids) assert.equal((await api('GET', `/v1/messages/${id}`)).state, 'available', 'filing opens nothing')
    }

    async function readInWelsh(): Promise<void> {
      const isWelsh = async (heading: string) => {
        await page.getByRole('heading', { level: 1, name: heading, exact: true }).waitFor()
        assert.equal(await page.locator('html').getAttribute('lang'), 'cy')
        assert.deepEqual(await tabs(page), ['Mewnflwch', 'I’w wneud', 'Chwilio', 'Ysgrifennu', 'Mwy'])
        await check()
      }
      await click(page.locator('footer').getByRole('link', { name: 'Cymraeg' }))
      await isWelsh('Mewnflwch')
      assert.equal(await due(), 'Mae 1 peth yn hwyr')
      await tab(page, 'I’w wneud')
      await isWelsh('I’w wneud')
      assert.deepEqual(await inGroup(page, 'Hwyr'), ['Cadarnhau bod hyn yn gywir'])
      assert.deepEqual(await inGroup(page, 'Apwyntiadau rydych wedi’u derbyn'), ['Cwrdd â ni wrth y man parcio'])
      await tab(page, 'Chwilio')
      await isWelsh('Chwilio eich llythyrau')
      await page.getByRole('searchbox').fill('ysbwriel')
      await press(page, 'Chwilio')
      await sees(page, '10 llythyr wedi’u canfod')
      await isWelsh('Chwilio eich llythyrau')
      await follow(page, welshSubjectOf(7))
      await isWelsh(welshSubjectOf(7))
      await page.getByRole('heading', { name: 'Y newid' }).waitFor()
      await sees(page, 'Daw’r ysbwriel ddydd Mawrth.')
      await sees(
        page,
        /^Danfonwyd ar \d+ (Ionawr|Chwefror|Mawrth|Ebrill|Mai|Mehefin|Gorffennaf|Awst|Medi|Hydref|Tachwedd|Rhagfyr) /,
      )
      assert.equal((await api('GET', `/v1/messages/${ids[6]}`)).state, 'opened')
    }

    async function auditEvidence(): Promise<void> {
      const { test: world, config, baseUrl } = server
      await sealAll(world.database, config, baseUrl, new Date())
      const keys = await auditKeysOf(world.owner, openEvidence(config))
      const { findings, events } = await audit(world.owner, keys, config.evidence.years, new Date())
      assert.deepEqual(findings, [])
      assert.ok(events > 40)
    }
  })
}

const tabsOf = (page: Page) => page.locator('.post-tabbar__link')
const tabs = (page: Page) => tabsOf(page).allTextContents()

/** By the bar at the lower end of the screen, as a thumb does. */
async function tab(page: Page, name: string): Promise<void> {
  const link = tabsOf(page).getByText(name, { exact: true })
  const address = await link.getAttribute('href')
  await Promise.all([page.waitForURL(({ pathname, search }) => pathname + search === address), link.click()])
  assert.deepEqual(await page.locator('.post-tabbar__link[aria-current]').allTextContents(), [name], 'the tab says where one is')
}

/** What is to be done under this heading. */
async function inGroup(page: Page, name: string): Promise<string[]> {
  const heading = page.getByRole('heading', { level: 2, name, exact: true })
  await heading.waitFor()
  return heading.locator('xpath=following-sibling::ul[1]').locator('.post-to-do__label a').allTextContents()
}

async function bytesOf(download: Download): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of await download.createReadStream()) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** As the worker does at each beat. */
async function readDocuments({ test: { database } }: TestServer): Promise<void> {
  assert.ok(await indexNextMailbox(database, new Date()), 'a search asks for the documents to be read')
  while (await indexNextMailbox(database, new Date()));
}

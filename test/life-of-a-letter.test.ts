import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { launchBrowser } from './browser.ts'
import { callApi } from './call.ts'
import { assertLooksRight } from './look-at.ts'
import { startServer, type TestServer, takeToken } from './server.ts'
import { click } from './steps.ts'

/**
 * The steps of docs/life-of-a-letter.md, in a real browser: a letter with a PDF is sent over the API, read and answered by a
 * person, answered again by the department, and told in order by the events. Once with JavaScript and once without.
 */
const pdf = readFileSync(path.join(import.meta.dirname, '../demo/letters/council-tax-bill.pdf'))

function newLetter(reference: string) {
  return {
    reference,
    service: 'council-tax',
    recipient: { scheme: 'link', value: 'CT-1001' },
    subject: `Your discount ends: ${reference}`,
    content: [{ language: 'en', body: '## What you need to do\n\nTell us **who lives with you**. <script>alert(1)</script>' }],
    documents: [
      {
        role: 'main',
        title: 'The letter',
        files: [{ filename: 'discount.pdf', mediaType: 'application/pdf', language: 'en', content: pdf.toString('base64') }],
      },
    ],
    reply: { allowed: true },
  }
}

describe('the life of a letter', { timeout: 1_800_000 }, () => {
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

  for (const javaScriptEnabled of [true, false]) {
    test(`goes from the sender to the reader and back, ${javaScriptEnabled ? 'with' : 'without'} JavaScript`, async () => {
      const check = (page: Page) => (javaScriptEnabled ? assertLooksRight(page) : Promise.resolve())
      const reference = javaScriptEnabled ? 'life-1' : 'life-2'

      // 1. The service's system posts a letter.
      const token = await takeToken(server)
      const { body: beginning } = await callApi(server, token, 'GET', '/v1/events')
      const sent = await callApi(server, token, 'POST', '/v1/messages', newLetter(reference))
      assert.equal(sent.status, 201)

      // 2. The citizen signs in with One Login and finds it unread, the newest first.
      const citizen = await (await browser.newContext({ javaScriptEnabled })).newPage()
      await citizen.goto(`${server.baseUrl}/`)
      await check(citizen)
      await click(citizen.getByRole('button', { name: 'Sign in' }))
      await check(citizen)
      await click(citizen.getByRole('button', { name: 'Sign in as Rosa' }))
      await citizen.waitForURL(`${server.baseUrl}/inbox`)
      await check(citizen)
      const line = citizen.getByRole('listitem').filter({ hasText: newLetter(reference).subject })
      assert.match((await line.textContent()) ?? '', /Northfold Council[\s\S]*Council tax[\s\S]*Unread/)

      // 3. Opening it is recorded; what it says is text and never script.
      await click(citizen.getByRole('link', { name: newLetter(reference).subject }))
      await check(citizen)
      await citizen.getByRole('heading', { name: 'What you need to do' }).waitFor()
      await citizen.getByText('<script>alert(1)</script>').waitFor()
      const opened = await callApi(server, token, 'GET', `/v1/messages/${sent.body.id}`)
      assert.equal(opened.body.state, 'opened')

      // 4. The PDF is seen, byte for byte.
      await click(citizen.getByRole('link', { name: 'The letter' }))
      await check(citizen)
      const view = await citizen.locator('a[href*="/files/"]').first().getAttribute('href')
      const seen = await citizen.request.get(new URL(view!, server.baseUrl).href)
      assert.equal(seen.headers()['content-type'], 'application/pdf')
      assert.deepEqual(await seen.body(), pdf)
      await citizen.goBack()

      // 5. The citizen answers.
      await click(citizen.getByRole('button', { name: 'Answer' }))
      await check(citizen)
      await citizen.getByLabel('Your answer').fill(`I live alone since May. (${reference})`)
      await click(citizen.getByRole('button', { name: 'Send' }))
      await check(citizen)
      await citizen.getByRole('heading', { name: /with Northfold Council|sent/i }).waitFor()

      // 6. The department's system and its staff have the answer.
      const { body: inbox } = await callApi(server, token, 'GET', '/v1/inbox')
      const answer = inbox.messages.find(({ answers }: { answers: string }) => answers === sent.body.id)
      assert.equal(answer.content[0].body, `I live alone since May. (${reference})`)
      assert.deepEqual(answer.sender, { name: 'Rosa Example', identifier: { scheme: 'link', value: 'CT-1001' } })
      const staff = await (await browser.newContext({ javaScriptEnabled })).newPage()
      await staff.goto(`${server.baseUrl}/department`)
      await check(staff)
      await click(staff.getByRole('button', { name: 'Sign in as Mel Placeholder' }))
      await staff.waitForURL(`${server.baseUrl}/department`)
      await check(staff)
      await staff.goto(`${server.baseUrl}/department/messages/${answer.id}`)
      await check(staff)
      await staff.getByText(`I live alone since May. (${reference})`).waitFor()

      // 7. They answer it, and the citizen sees that in the same thread.
      await click(staff.getByRole('button', { name: 'Answer' }))
      await check(staff)
      await staff.getByLabel('Your answer').fill(`Thank you, Rosa. (${reference})`)
      await click(staff.getByRole('button', { name: 'Send' }))
      await check(staff)
      await citizen.goto(`${server.baseUrl}/inbox`)
      await click(citizen.locator('.post-list__subject a').first())
      // What was written earlier is folded.
      await citizen.getByRole('heading', { name: 'The conversation so far' }).waitFor()
      for (const earlier of await citizen.locator('.post-conversation__summary').all()) await earlier.click()
      for (const words of ['who lives with you', 'I live alone since May.', 'Thank you, Rosa.']) {
        await citizen.getByText(words).first().waitFor()
      }
      await check(citizen)

      // 8. The events tell it in order, each once.
      const { body: feed } = await callApi(server, token, 'GET', `/v1/events?after=${beginning.next}`)
      assert.deepEqual(
        feed.events
          .filter((event: { messageId: string }) => event.messageId === sent.body.id)
          .map(({ type }: { type: string }) => type),
        ['message.accepted', 'message.available', 'message.opened', 'message.handed-over', 'message.answered'],
      )

      // 9. Both sign out.
      await click(citizen.getByRole('button', { name: 'Sign out' }))
      await citizen.waitForURL(`${server.baseUrl}/signed-out?**`)
      await check(citizen)
      await citizen.goto(`${server.baseUrl}/letters/${sent.body.id}`)
      assert.match(citizen.url(), /one-login-stand-in/, 'signed out, one has to sign in again')
    })
  }
})

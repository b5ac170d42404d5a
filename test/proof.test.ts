import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { launchBrowser } from './browser.ts'
import { callApi } from './call.ts'
import { sealAll } from './seal-all.ts'
import { startServer, type TestServer, takeToken } from './server.ts'

const letters = path.join(import.meta.dirname, '../demo/letters')
const pdf = readFileSync(path.join(letters, 'council-tax-bill.pdf'))

/** A letter with a PDF, read in a browser; each side then takes its proof to a machine that has neither our database nor a network. */
describe('the proof of a letter', { timeout: 1_800_000 }, () => {
  let server: TestServer
  let browser: Browser
  let folder: string
  before(async () => {
    server = await startServer()
    browser = await launchBrowser()
    folder = mkdtempSync(path.join(tmpdir(), 'dp-proof-'))
  })
  after(async () => {
    await browser?.close()
    await server?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  /** The command line, elsewhere and without a setting. */
  function verify(...words: string[]): { status: number | null; output: string } {
    const main = path.join(import.meta.dirname, '../src/main.ts')
    const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'verify', ...words], {
      cwd: folder,
      env: { PATH: process.env.PATH },
      encoding: 'utf8',
    })
    return { status, output: stdout + stderr }
  }
  const keep = (name: string, bytes: Uint8Array | string) => {
    writeFileSync(path.join(folder, name), bytes)
    return name
  }

  async function readLetter(subject: string): Promise<Page> {
    const page = await (await browser.newContext()).newPage()
    await page.goto(`${server.baseUrl}/`)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('button', { name: 'Sign in as Rosa' }).click()
    await page.getByRole('link', { name: subject }).click()
    await page.getByRole('link', { name: 'The bill' }).first().click()
    const file = await page.locator('a[href*="/files/"]').first().getAttribute('href')
    assert.deepEqual(await (await page.request.get(new URL(file!, server.baseUrl).href)).body(), pdf)
    await page.goBack()
    return page
  }

  test('is taken by recipient and sender, and checked without us; another PDF is refused', async () => {
    const token = await takeToken(server)
    const sent = await callApi(server, token, 'POST', '/v1/messages', {
      reference: 'proof-1',
      service: 'council-tax',
      recipient: { scheme: 'link', value: 'CT-1001' },
      subject: 'A bill to be proved',
      content: [{ language: 'en', body: 'You have to pay **£12.**' }],
      documents: [
        {
          role: 'main',
          title: 'The bill',
          files: [{ filename: 'bill.pdf', mediaType: 'application/pdf', content: pdf.toString('base64') }],
        },
      ],
    })
    assert.equal(sent.status, 201)
    const page = await readLetter('A bill to be proved')
    await sealAll(server.test.database, server.config, server.baseUrl, new Date())

    // The recipient, from the letter's page.
    await page.getByRole('link', { name: 'Proof of delivery' }).click()
    await page.getByRole('heading', { name: 'Proof of delivery' }).waitFor()
    const links = page.locator('table a[href*="/proof/"]')
    const downloads = await links.evaluateAll((found) =>
      found.map((link) => link.getAttribute('href')!).filter((href) => !href.includes('/texts/')),
    )
    assert.equal(downloads.length, 4, 'accepted, available, opened, handed over')
    const mine = await Promise.all(
      downloads.map(async (href, place) => {
        const answer = await page.request.get(new URL(href, server.baseUrl).href)
        assert.match(answer.headers()['content-disposition']!, /attachment/)
        return keep(`mine-${place}.tlog-proof`, await answer.body())
      }),
    )

    // The sender, over the API.
    const { body: list } = await callApi(server, token, 'GET', `/v1/messages/${sent.body.id}/evidence`)
    const events = list.evidence as { id: string; event: string }[]
    assert.equal(events.length, 4)
    const theirs = await Promise.all(
      events.map(async ({ id }, place) => {
        const answer = await fetch(`${server.baseUrl}/v1/messages/${sent.body.id}/evidence/${id}`, {
          headers: { authorization: `Bearer ${token}` },
        })
        return keep(`theirs-${place}.tlog-proof`, Buffer.from(await answer.arrayBuffer()))
      }),
    )
    const { body: feed } = await callApi(server, token, 'GET', '/v1/events')
    const inFeed = feed.events.filter((event: { messageId: string }) => event.messageId === sent.body.id)
    assert.deepEqual(
      new Set(inFeed.map((event: { id: string }) => event.id)),
      new Set(events.map(({ id }) => id)),
      'the feed has the ids of the evidence',
    )

    // Anybody, with the keys that we publish, and without.
    const trust = keep('keys.json', await (await fetch(`${server.baseUrl}/log/keys.json`)).text())
    const bill = keep('bill.pdf', pdf)
    for (const receipt of [...mine, ...theirs]) {
      const { status, output } = verify(receipt, bill, '--trust', trust)
      assert.equal(status, 0, output)
      assert.match(output, /^Valid\. .*Northfold Council/m)
    }
    assert.match(verify(mine[0]!).output, /keys came from the receipt itself/)
    const other = keep('other.pdf', readFileSync(path.join(letters, 'state-pension-forecast.pdf')))
    const refused = verify(mine[0]!, other, '--trust', trust)
    assert.equal(refused.status, 1)
    assert.match(refused.output, /^Not valid\. Content: “other\.pdf”/m)
    const damaged = Buffer.from(readFileSync(path.join(folder, mine[0]!)))
    damaged[300]! ^= 1
    assert.equal(verify(keep('damaged.tlog-proof', damaged), '--trust', trust).status, 1)
  })
})

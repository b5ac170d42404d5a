import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { decodeJwt } from 'jose'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { within } from '../src/database/scope.ts'
import { createParty } from '../src/registry/create-party.ts'
import { deriveIdentifierKeys, hashIdentifier, sealIdentifier } from '../src/registry/identifier.ts'
import { launchBrowser } from './browser.ts'
import { callApi } from './call.ts'
import { startLinkedService } from './linked-service.ts'
import { startServer, type TestServer, takeToken } from './server.ts'
import { click } from './steps.ts'

describe('linking a service in a browser', () => {
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

  const inBrowser = async (work: (page: Page, context: BrowserContext) => Promise<void>) => {
    const context = await browser.newContext({ baseURL: server.baseUrl, javaScriptEnabled: false })
    const page = await context.newPage()
    try {
      await work(page, context)
    } finally {
      await context.close()
    }
  }
  const press = (page: Page, name: string) => click(page.getByRole('button', { name }))
  /** At the stand-in for One Login, with proof of identity where it is asked for, and past the first visit's page. */
  const signIn = async (page: Page, name: string) => {
    await press(page, `Sign in as ${name}`)
    const proof = page.getByRole('button', { name: 'Continue', exact: true })
    if (await page.getByRole('heading', { name: 'Prove your identity' }).isVisible()) await click(proof)
    const welcome = page.getByRole('button', { name: 'Go to your post' })
    if (await welcome.isVisible()) await click(welcome)
  }
  const sayYes = async (page: Page) => {
    await page.getByLabel('Yes, send my letters here').check()
    await press(page, 'Continue')
  }
  const send = async (value: string, reference: string) =>
    callApi(server, await takeToken(server), 'POST', '/v1/messages', {
      reference,
      service: 'council-tax',
      recipient: { scheme: 'link', value },
      subject: `By ${reference}`,
      content: [{ language: 'en', body: 'Dear resident' }],
    })

  test('somebody new links the council tax, gets a letter by that number, and unlinks it', { timeout: 1_800_000 }, async () => {
    await inBrowser(async (page) => {
      await page.goto('/linked-services')
      await signIn(page, 'Priya Specimen')
      await page.getByText('No service is linked yet').waitFor()
      await page.getByRole('link', { name: 'Northfold Council, Council tax' }).click()
      await press(page, 'Continue to Northfold council tax account')
      assert.match(page.url(), /\/demo-service\/council-tax\/link\?request=/)
      await page.getByLabel('Your council tax account number').fill('CT-9999')
      await press(page, 'Sign in')
      await page.getByText('Enter a council tax account number that we know').waitFor()
      await page.getByLabel('Your council tax account number').fill('ct-1003')
      await press(page, 'Sign in')
      await press(page, 'Continue to Digital Post')
      await page.getByText('Do you want letters from Northfold Council, Council tax here?').waitFor()
      assert.doesNotMatch(await page.content(), /CT-1003/)
      assert.equal((await send('CT-1003', 'too early')).status, 422)
      await sayYes(page)
      await page.getByText('The service is linked').waitFor()
      assert.equal((await send('CT-1003', 'the first letter')).status, 201)
      await page.goto('/inbox')
      await page.getByRole('link', { name: 'By the first letter' }).waitFor()

      await page.goto('/linked-services')
      await page.getByRole('link', { name: 'Unlink Northfold Council, Council tax ending in 003' }).click()
      await page.getByText('Letters that are here already stay here').waitFor()
      await press(page, 'Unlink')
      await page.getByText('The service is unlinked').waitFor()
      const { status, body } = await send('CT-1003', 'after it')
      assert.deepEqual([status, body.code], [422, 'recipient-not-found'])
      await page.goto('/inbox')
      await page.getByRole('link', { name: 'By the first letter' }).waitFor()
    })
  })

  test('the council’s own site offers it, and leads through the sign-in', { timeout: 1_800_000 }, async () => {
    await inBrowser(async (page) => {
      await page.goto('/demo-service/council-tax')
      await page.getByLabel('Your council tax account number').fill('CT-1004')
      await press(page, 'Sign in')
      await press(page, 'Get your letters in Digital Post')
      await signIn(page, 'Gwen Enghraifft')
      await page.getByText('Only say yes if you came here from Northfold Council’s own site').waitFor()
      await sayYes(page)
      await page.getByText('The service is linked').waitFor()
    })
  })

  test('the demo’s council takes no request that is not ours', async () => {
    const answer = await fetch(`${server.baseUrl}/demo-service/council-tax/link?request=a.b.c`)
    assert.equal(answer.status, 400)
    assert.match(await answer.text(), /This request is not in order/)
  })

  test('a form that comes from a site elsewhere, without our cookie, comes to the person who asked', {
    timeout: 1_800_000,
  }, async () => {
    // Another site than that of the program: localhost and 127.0.0.1 share no cookies.
    const service = await startLinkedService('localhost')
    service.page = async (request) => {
      const { nonce, iss, return_to } = decodeJwt(request)
      const iat = Math.floor(Date.now() / 1000)
      const answer = await service.sign('link-answer+jwt', {
        aud: iss,
        service: 'libraries',
        nonce,
        identifier: { scheme: 'link', value: 'LB-4000' },
        iat,
        exp: iat + 60,
      })
      return `<form method="post" action="${return_to}"><input type="hidden" name="answer" value="${answer}"><button>Go back</button></form>`
    }
    await service.declare(server.test.owner, 'libraries')
    try {
      await inBrowser(async (page, context) => {
        await page.goto('/linked-services/link/libraries')
        await signIn(page, 'Arthur Sample')
        await press(page, 'Continue to Your account')
        assert.equal(new URL(page.url()).origin, service.issuer)
        const sent: (string | undefined)[] = []
        await context.route('**/linking/answer', async (route) => {
          sent.push((await route.request().allHeaders()).cookie)
          await route.continue()
        })
        await press(page, 'Go back')
        await page.getByText('Do you want letters from Northfold Council, Libraries here?').waitFor()
        assert.deepEqual(sent, [undefined])
        await sayYes(page)
        await page.getByText('The service is linked').waitFor()
      })
    } finally {
      await service.stop()
    }
  })

  test('a person with a new One Login brings the two mailboxes together', { timeout: 1_800_000 }, async () => {
    const { database } = server.test
    const keys = deriveIdentifierKeys(server.config.secretKey)
    const [{ id: serviceId }] = (await database`select id from service where slug = 'council-tax'`) as unknown as [{ id: string }]
    const before = new Date(Date.now() - 86_400_000)
    // Priya of before, whose One Login is gone.
    const partyId = await within(database, { purpose: 'registry' }, async (sql) => {
      const old = await createParty(sql, { kind: 'person', name: 'Priya Specimen', birthDate: '1999-12-02' }, before)
      await sql`
        insert into link (service_id, scheme, value_hash, value_sealed, party_id, linked_at)
        values (${serviceId}, 'link', ${hashIdentifier(keys, serviceId, { scheme: 'link', value: 'CT-5005' })}, ${sealIdentifier(keys, serviceId, 'CT-5005')}, ${old.partyId}, ${before})`
      return old.partyId
    })
    assert.equal((await send('CT-5005', 'before the new One Login')).status, 201)
    await inBrowser(async (page) => {
      await page.goto('/linked-services/link/council-tax')
      await signIn(page, 'Priya Specimen')
      await press(page, 'Continue to Northfold council tax account')
      await page.getByLabel('Your council tax account number').fill('CT-5005')
      await press(page, 'Sign in')
      await press(page, 'Continue to Digital Post')
      await page.getByText('You may have two mailboxes').waitFor()
      await press(page, 'Prove who I am')
      await press(page, 'Continue')
      await page.getByText('Your two mailboxes are one now').waitFor()
      await page.getByText('005', { exact: true }).waitFor()
      await page.goto('/inbox')
      await page.getByRole('link', { name: 'By before the new One Login' }).waitFor()
    })
    const subjects = await server.test.owner`select from one_login_subject where party_id = ${partyId}`
    assert.equal(subjects.length, 1, 'the new subject leads to the old mailbox')
  })

  test('mailboxes that nobody asked to bring together stay as they are', { timeout: 1_800_000 }, async () => {
    const count = async () => (await server.test.owner`select from mailbox where registration = 'closed'`).length
    const before = await count()
    await inBrowser(async (page) => {
      await page.goto('/linked-services')
      await signIn(page, 'Rosa Example')
      await page.goto('/sign-in/join')
      await press(page, 'Continue')
      await page.getByText('We did not bring your mailboxes together').waitFor()
    })
    assert.equal(await count(), before)
  })
})

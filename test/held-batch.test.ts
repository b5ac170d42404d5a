import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { releaseAll } from '../src/delivery/release.ts'
import { launchBrowser } from './browser.ts'
import { holdLetters } from './held-letters.ts'
import { startServer, type TestServer } from './server.ts'
import { follow, headingOf, openBrowser, press, sees, signIn, signInToWork } from './steps.ts'

describe('a batch that is held, in a browser', () => {
  let server: TestServer
  let browser: Browser
  before(async () => {
    server = await startServer()
    browser = await launchBrowser()
    const { owner } = server.test
    await owner`update service set release_by_two = true where slug = 'council-tax'`
    await owner`
      insert into staff_role (staff_id, service_id, role)
      select staff_member.id, service.id, 'post-writer' from staff_member, service
      where staff_member.name = 'Jo Testcase' and slug = 'council-tax'`
  })
  after(async () => {
    await browser?.close()
    await server?.stop()
  })

  const hasBill = async (page: Page) => {
    await page.goto('/inbox')
    return page.getByText('Your autumn bill').first().isVisible()
  }

  test('one looks at some letters and asks, a second releases it, and then its recipient has them', {
    timeout: 1_800_000,
  }, async () => {
    await holdLetters(server)
    const options = { javaScriptEnabled: false }
    const [rosa, mel, jo] = await Promise.all([1, 2, 3].map(() => openBrowser(browser, server.baseUrl, options)))
    await signIn(rosa!, 'Rosa Example')
    assert.equal(await hasBill(rosa!), false)

    await signInToWork(mel!, 'Mel Placeholder', '/department')
    await mel!.goto('/department/batches')
    await follow(mel!, 'Bills of the autumn')
    await sees(mel!, 'Held, open')
    await press(mel!, 'Close the batch')
    await press(mel!, 'Look at some of the letters')
    assert.equal(await mel!.getByRole('link', { name: 'Your autumn bill' }).count(), 10)
    await press(mel!, 'Show other letters')
    await follow(mel!, 'Your autumn bill')
    await sees(mel!, /You are to pay/)
    await follow(mel!, 'Back to the letters of the batch')
    await follow(mel!, 'Back to the batch')
    await press(mel!, 'Ask for the release')
    assert.equal(await headingOf(mel!), 'Ask for the release of this batch')
    await press(mel!, 'Ask for the release')
    await sees(mel!, 'It waits for another member of staff')
    await follow(mel!, 'See what you asked for')
    assert.equal(await mel!.getByRole('button', { name: 'Approve' }).count(), 0)
    await releaseAll(server.test.database, () => new Date())
    assert.equal(await hasBill(rosa!), false)

    await signInToWork(jo!, 'Jo Testcase', '/department')
    await follow(jo!, 'Approvals')
    await follow(jo!, 'Release a batch: Bills of the autumn')
    await press(jo!, 'Approve')
    await sees(jo!, 'Approved by Jo Testcase')
    await follow(jo!, 'See the batch')
    await sees(jo!, 'It is being released: 0 of 12 letters are available.')
    await releaseAll(server.test.database, () => new Date())
    await follow(jo!, 'Show how far it is now')
    await sees(jo!, 'by Mel Placeholder and Jo Testcase')
    await sees(jo!, 'Released, closed')

    assert.equal(await hasBill(rosa!), true)
    await follow(rosa!, 'Your autumn bill')
    await sees(rosa!, /You are to pay/)
  })
})

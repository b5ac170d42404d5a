import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import type { Loop } from '../src/every.ts'
import { startOutgoing } from '../src/worker.ts'
import { launchBrowser } from './browser.ts'
import { startServer, type TestServer } from './server.ts'
import { click, follow, goTo, headingOf, openBrowser, press, sees, signIn } from './steps.ts'
import { until } from './until.ts'

describe('my details, in a browser', () => {
  let browser: Browser
  before(async () => {
    browser = await launchBrowser()
  })
  after(async () => {
    await browser?.close()
  })

  for (const javaScriptEnabled of [true, false]) {
    describe(javaScriptEnabled ? 'with JavaScript' : 'without JavaScript', { timeout: 1_800_000 }, () => {
      let server: TestServer
      let sending: Loop
      before(async () => {
        server = await startServer()
        sending = startOutgoing(server.config, server.test.database, () => new Date())
      })
      after(async () => {
        await sending?.stop()
        await server?.stop()
      })
      const open = (options = {}) => openBrowser(browser, server.baseUrl, { javaScriptEnabled, ...options })
      /** Once the stand-in for Notify has something for this address. */
      const readOutbox = async (page: Page, to: string): Promise<string> => {
        const message = page.locator('article').filter({ hasText: to }).first()
        await until(async () => {
          await page.goto('/demo/outbox')
          return (await message.count()) > 0
        }, `something for ${to}`)
        return (await message.locator('.post-plain-text').textContent())!
      }
      const codeIn = (text: string) => /^\d{6}(?= |$)/m.exec(text)![0]

      test('an email address is added, and confirmed by the code that was sent to it', async () => {
        const page = await open({ viewport: { width: 375, height: 800 } })
        await signIn(page, 'Rosa Example')
        await page.goto('/more')
        await page.locator('main').getByRole('link', { name: 'My details', exact: true }).click()
        await page.getByRole('link', { name: 'Add email addresses' }).click()
        await page.getByRole('button', { name: 'Add an email address' }).click()
        await page.getByLabel('What is your email address?').fill('rosa@mail')
        await press(page, 'Send me a code')
        await sees(page, 'Enter an email address in the correct format')
        assert.equal(await page.getByLabel('What is your email address?').inputValue(), 'rosa@mail')
        await page.getByLabel('What is your email address?').fill('rosa@mail.example')
        await press(page, 'Send me a code')
        assert.equal(await headingOf(page), 'Check your email')
        const codePage = page.url()
        const code = codeIn(await readOutbox(page, 'rosa@mail.example'))
        await page.goto(codePage)
        await page.getByLabel('Code', { exact: true }).fill('12')
        await press(page, 'Confirm')
        await sees(page, 'The code has 6 numbers')
        await page.getByLabel('Code', { exact: true }).fill(`${code.slice(0, 3)} ${code.slice(3)}`)
        await press(page, 'Confirm')
        await sees(page, 'It is confirmed.')
        await page.goto('/my-details')
        await sees(page, 'rosa@mail.example')
      })

      test('one is confirmed by the link in the email, on a device where nobody is signed in, once its button is pressed', async () => {
        const page = await open()
        await signIn(page, 'Arthur Sample')
        await page.goto('/my-details/contact/add/email')
        await page.getByLabel('What is your email address?').fill('arthur@mail.example')
        await press(page, 'Send me a code')
        const phone = await open({ viewport: { width: 375, height: 800 } })
        const link = /http\S+confirm-email\S+/.exec(await readOutbox(phone, 'arthur@mail.example'))![0]
        await phone.goto(link)
        assert.equal(await headingOf(phone), 'Is this your email address?')
        await page.goto('/my-details/contact')
        await sees(page, 'To confirm')
        await press(phone, 'Yes, it is mine')
        assert.equal(await headingOf(phone), 'Your email address is confirmed')
        await page.reload()
        await sees(page, 'Confirmed on')
        assert.equal(await page.getByText('To confirm').count(), 0)
        await page.getByRole('link', { name: 'Remove arthur@mail.example' }).click()
        await press(page, 'Remove')
        await sees(page, 'You have not given us an email address.')
      })

      test('a mobile number is confirmed by the code in a text message', async () => {
        const page = await open()
        await signIn(page, 'Rosa Example')
        await page.goto('/my-details/contact')
        await page.getByRole('button', { name: 'Add a mobile number' }).click()
        await page.getByLabel('What is your mobile number?').fill('07700 900123')
        await press(page, 'Send me a code')
        const codePage = page.url()
        const code = codeIn(await readOutbox(page, '+447700900123'))
        await page.goto(codePage)
        await page.getByLabel('Code', { exact: true }).fill(code)
        await press(page, 'Confirm')
        await sees(page, '07700 900123')
        await sees(page, 'It is confirmed.')
      })

      test('another device is signed out', async () => {
        const userAgent = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) Version/26.0 Mobile/15E148 Safari/604.1'
        const [laptop, phone, tablet] = [await open(), await open({ userAgent }), await open()]
        for (const page of [laptop, phone, tablet]) await signIn(page, 'Gwen Enghraifft')
        // Whoever asks for a page is led through One Login, which may still know them.
        const answer = async (page: Page) => (await page.request.get('/inbox', { maxRedirects: 0 })).status()
        await goTo(laptop, 'My details')
        await follow(laptop, 'See where you are signed in')
        assert.equal(await laptop.locator('.post-devices__item').count(), 3)
        assert.match((await laptop.locator('.post-devices__item').first().textContent())!, /This device/)
        await click(laptop.getByRole('button', { name: /^Sign out of Safari on iPhone/ }))
        await sees(laptop, 'That device is signed out.')
        assert.deepEqual([await answer(phone), await answer(tablet)], [303, 200])
        await press(laptop, 'Sign out everywhere else')
        await sees(laptop, 'You are not signed in anywhere else.')
        assert.deepEqual([await answer(tablet), await answer(laptop)], [303, 200])
      })

      test('the language that somebody chooses is theirs wherever they sign in', async () => {
        const page = await open()
        await signIn(page, 'Gwen Enghraifft')
        await page.goto('/my-details')
        await follow(page, 'Change your language')
        await page.getByLabel('Cymraeg').check()
        await press(page, 'Save')
        assert.equal(await headingOf(page), 'Fy manylion')
        await sees(page, 'Mae eich iaith wedi newid')
        const other = await open()
        await other.goto('/sign-in')
        await press(other, 'Sign in as Gwen Enghraifft')
        await other.waitForURL('**/inbox')
        assert.equal(await other.locator('html').getAttribute('lang'), 'cy')
        await sees(other, 'Mewnflwch')
      })

      test('the first visit is explained, once', async () => {
        const page = await open()
        const enter = async () => {
          await page.goto('/sign-in?to=/sent')
          await press(page, 'Sign in as Priya Specimen')
          if ((await headingOf(page)) === 'Prove your identity') await press(page, 'Continue')
        }
        await enter()
        assert.equal(await headingOf(page), 'Welcome to Digital Post')
        await press(page, 'Go to your post')
        assert.equal(new URL(page.url()).pathname, '/sent')
        await press(page, 'Sign out')
        await enter()
        await page.waitForURL('**/sent')
      })
    })
  }
})

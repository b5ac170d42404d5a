import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { deriveInvitationKey } from '../src/access/grant-invitation.ts'
import { rightsOf } from '../src/access/rights.ts'
import { sendDueDrafts } from '../src/delivery/send-due-drafts.ts'
import { deriveIdentifierKeys } from '../src/registry/identifier.ts'
import { buildGrantWorld } from '../test/grants.ts'
import { launchBrowser } from './browser.ts'
import { assertLooksRight } from './look-at.ts'
import type { Post } from './post.ts'
import { startServer, type TestServer } from './server.ts'
import { follow, openBrowser, press, sees, signIn } from './steps.ts'
import { until } from './until.ts'

const pdf = readFileSync(path.join(import.meta.dirname, '../demo/letters/parking-permit.pdf'))
const file = (name: string, buffer: Buffer | string, mimeType = 'application/octet-stream') => ({
  name,
  mimeType,
  buffer: Buffer.from(buffer),
})

for (const javaScriptEnabled of [true, false]) {
  describe(`writing, ${javaScriptEnabled ? 'with' : 'without'} JavaScript`, { timeout: 1_800_000 }, () => {
    const now = { at: new Date('2026-11-23T10:00:00Z') }
    const write = '/write/northfold-council/council-tax'
    let server: TestServer
    let browser: Browser
    before(async () => {
      server = await startServer({}, () => now.at)
      browser = await launchBrowser()
      await letArthurHelpRosa(server, now.at)
    })
    after(async () => {
      await browser?.close()
      await server?.stop()
    })

    const open = async (name: string, width = 375): Promise<Page> => {
      const page = await openBrowser(browser, server.baseUrl, { javaScriptEnabled, viewport: { width, height: 800 } })
      await signIn(page, name)
      return page
    }
    const answerable = async () => {
      const [letter] = await server.test.owner<{ id: string }[]>`
        select message.id from message join mailbox on mailbox.id = mailbox_id join party on party.id = party_id
        where party.name = 'Rosa Example' and reply_allowed and (reply_by is null or reply_by > ${now.at}) order by message.id limit 1`
      return letter!.id
    }
    const drafts = () => server.test.owner<{ id: string; body: string }[]>`select id, body from draft`

    test('a draft is kept, is gone on with, and is sent once', async () => {
      const page = await open('Rosa Example')
      await page.goto(write)
      if (javaScriptEnabled) await assertLooksRight(page)
      await page.getByLabel('Subject').fill('We have moved')
      await page.getByLabel('Your message').fill('To 2 New Street.')
      if (javaScriptEnabled) await sees(page, 'Saved at 10:00am')
      else await press(page, 'Save draft')
      // The subject may have been saved by itself first.
      await until(async () => (await drafts()).map(({ body }) => body).join() === 'To 2 New Street.')
      await page.goto('/drafts')
      await follow(page, 'We have moved')
      assert.equal(await page.getByLabel('Your message').inputValue(), 'To 2 New Street.')
      await press(page, 'Send')
      await sees(page, 'What happens next')
      assert.equal((await drafts()).length, 0)
      await page.goto('/sent')
      await sees(page, 'Delivered')
      await page.context().close()
    })

    if (javaScriptEnabled)
      test('what was typed and chosen before the script came is kept like the rest', async () => {
        const page = await open('Rosa Example')
        const written = Promise.withResolvers<void>()
        await page.route('**/write.js', async (route) => {
          await written.promise
          await route.continue()
        })
        await page.goto(write)
        await page.getByLabel('Your message').fill('Typed at once.')
        await page.getByLabel('Add files').setInputFiles([file('meter.txt', 'Meter: 1234')])
        written.resolve()
        await page.getByRole('link', { name: 'meter.txt' }).waitFor()
        await until(async () => (await drafts())[0]?.body === 'Typed at once.')
        await page.reload()
        await follow(page, 'Delete draft')
        await press(page, 'Delete draft')
        await sees(page, 'The draft is deleted')
        await page.context().close()
      })

    if (javaScriptEnabled)
      test('what is sent while it is being saved, and a file on its way, is one letter, whole', async () => {
        const page = await open('Rosa Example')
        await page.goto(write)
        const [saved, sent] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
        // The answers come late.
        await page.route(/\/(write|drafts)\//, async (route) => {
          if (route.request().resourceType() !== 'xhr') return route.continue()
          const response = await route.fetch()
          saved.resolve()
          await sent.promise
          await route.fulfill({ response })
        })
        await page.getByLabel('Subject').fill('Sent meanwhile')
        await page.getByLabel('Your message').fill('The first words')
        await saved.promise
        await page.getByLabel('Your message').fill('The first words, and the last.')
        await page.getByLabel('Add files').setInputFiles([file('meter.txt', 'Meter: 1234')])
        await press(page, 'Send')
        sent.resolve()
        await sees(page, 'What happens next')
        await follow(page, 'See what you sent')
        await sees(page, 'The first words, and the last.')
        await sees(page, 'meter.txt')
        assert.equal((await drafts()).length, 0)
        await page.context().close()
      })

    test('a draft that was changed in another window is not overwritten: both texts are shown', async () => {
      const page = await open('Rosa Example')
      await page.goto(write)
      await page.getByLabel('Your message').fill('First words')
      await press(page, 'Save draft')
      await sees(page, 'The draft was saved')
      const other = await page.context().newPage()
      await other.goto(page.url())
      await other.getByLabel('Your message').fill('Words of the other window')
      await press(other, 'Save draft')
      await sees(other, 'The draft was saved')
      await page.getByLabel('Your message').fill('Words of this window')
      if (javaScriptEnabled) await sees(page, 'changed in another window')
      await press(page, 'Save draft')
      await sees(page, 'The text that is saved')
      await sees(page, 'Words of the other window')
      assert.equal(await page.getByLabel('Your message').inputValue(), 'Words of this window')
      if (javaScriptEnabled) await assertLooksRight(page)
      assert.equal((await drafts())[0]!.body, 'Words of the other window')
      await press(page, 'Save draft')
      await sees(page, 'The draft was saved')
      assert.equal((await drafts())[0]!.body, 'Words of this window')
      await follow(page, 'Delete draft')
      await press(page, 'Delete draft')
      await sees(page, 'The draft is deleted')
      assert.equal((await drafts()).length, 0)
      await page.context().close()
    })

    test('what was written into a draft that was sent in another window meanwhile is shown, to keep it', async () => {
      const page = await open('Rosa Example')
      await page.goto(write)
      await page.getByLabel('Subject').fill('Twice open')
      await page.getByLabel('Your message').fill('The first words.')
      await press(page, 'Save draft')
      await sees(page, 'The draft was saved')
      const other = await page.context().newPage()
      await other.goto(page.url())
      await press(page, 'Send')
      await sees(page, 'What happens next')
      await other.getByLabel('Your message').fill('The first words, and what took an hour more.')
      if (javaScriptEnabled) {
        await sees(other, 'this draft was sent or deleted in another window')
        await assertLooksRight(other)
      }
      await press(other, 'Send')
      await sees(other, 'This draft is not there any more')
      await sees(other, 'The first words, and what took an hour more.')
      if (javaScriptEnabled) await assertLooksRight(other)
      const [sent] = await server.test.owner<{ count: string }[]>`select count(*) from message where subject = 'Twice open'`
      assert.equal(sent!.count, '1')
      await page.context().close()
    })

    test('a letter is answered with two files; what is wrong with a third is said, and nothing is lost', async () => {
      const page = await open('Rosa Example')
      await page.goto(`/letters/${await answerable()}`)
      await press(page, 'Answer')
      await sees(page, 'The conversation so far')
      await page.getByLabel('Your answer').fill('See both files.')
      const add = async (...files: ReturnType<typeof file>[]) => {
        await page.getByLabel('Add files').setInputFiles(files)
        if (!javaScriptEnabled) await press(page, 'Add the files that I chose')
      }
      await add(file('permit.pdf', pdf), file('meter.txt', 'Meter: 1234'))
      await page.getByRole('link', { name: 'permit.pdf' }).waitFor()
      await page.getByRole('link', { name: 'meter.txt' }).waitFor()
      await add(file('locked.pdf', '%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<</Encrypt 5 0 R>>\nstartxref\n0\n%%EOF'))
      await sees(page, '“locked.pdf” is protected with a password')
      await add(file('half.pdf', pdf.subarray(0, 5_000)))
      await sees(page, '“half.pdf” is damaged')
      await add(file('empty.txt', ''))
      await sees(page, '“empty.txt” is empty')
      await add(file('third.txt', 'Not needed'))
      await page.getByRole('link', { name: 'third.txt' }).waitFor()
      await page.getByRole('button', { name: 'Remove third.txt' }).click()
      await page.getByRole('link', { name: 'third.txt' }).waitFor({ state: 'detached' })
      assert.equal(await page.getByLabel('Your answer').inputValue(), 'See both files.')
      if (javaScriptEnabled) await assertLooksRight(page)
      await press(page, 'Send')
      await sees(page, 'What happens next')
      await follow(page, 'See what you sent')
      await sees(page, 'permit.pdf')
      await sees(page, 'meter.txt')
      await page.context().close()
    })

    test('of files that are chosen together, those that are not taken are said beside the field, and that stays while the rest is kept', async () => {
      const page = await open('Rosa Example')
      await page.goto(write)
      await page.getByLabel('Your message').fill('The photographs are too many.')
      const add = async (...files: ReturnType<typeof file>[]) => {
        await page.getByLabel('Add files').setInputFiles(files)
        if (!javaScriptEnabled) await press(page, 'Add the files that I chose')
      }
      const errors = page.locator('.govuk-error-message')
      const said = async (words: string) => {
        await errors.filter({ hasText: words }).first().waitFor()
        // Until what was typed has been saved by itself too.
        if (javaScriptEnabled) await page.waitForTimeout(2_500)
        assert.ok((await errors.filter({ hasText: words }).count()) > 0, `“${words}” stays`)
        assert.equal(await page.getByLabel('Your message').inputValue(), 'The photographs are too many.')
      }
      await add(file('all.pdf', Buffer.alloc(11 * 1024 * 1024, '%PDF-1.7\n')))
      await said('larger than 10 MB')
      await add(file('tool.exe', 'MZ'), file('meter.txt', 'Meter: 1234'))
      await page.getByRole('link', { name: 'meter.txt' }).waitFor()
      await said('“tool.exe” is not a kind of file that we take')
      assert.equal(await errors.filter({ hasText: 'larger than 10 MB' }).count(), 0, 'what was said before is over')
      await add(file('second.txt', 'Meter: 1235'))
      await page.getByRole('link', { name: 'second.txt' }).waitFor()
      assert.equal(await errors.count(), 0)
      await page.context().close()
    })

    test('a letter is forwarded to a helper, who answers, and to a public body', async () => {
      const page = await open('Rosa Example')
      await page.goto('/inbox')
      const link = page.locator('.post-list__subject a').last()
      const subject = (await link.textContent())!.trim()
      const letter = (await link.getAttribute('href'))!.replace(/\?.*/, '')
      await page.goto(letter)
      await follow(page, 'Forward this letter')
      if (javaScriptEnabled) await assertLooksRight(page)
      await press(page, 'Continue')
      await sees(page, 'Choose whom to forward the letter to')
      await page.getByLabel('Arthur Sample').check()
      await press(page, 'Continue')
      await page.getByLabel('Comment').fill('Can you help me with this?')
      await press(page, 'Continue')
      await sees(page, 'What Arthur Sample will see')
      await sees(page, 'Can you help me with this?')
      if (javaScriptEnabled) await assertLooksRight(page)
      await press(page, 'Forward it')
      await sees(page, 'Your message is with Arthur Sample')

      const arthur = await open('Arthur Sample')
      await arthur.goto('/inbox')
      await follow(arthur, `Forwarded: ${subject}`)
      await sees(arthur, 'Can you help me with this?')
      await sees(arthur, /Forwarded by Rosa Example\. First sent by/)
      await press(arthur, 'Answer')
      await arthur.getByLabel('Your answer').fill('Yes, on Sunday.')
      await press(arthur, 'Send')
      await sees(arthur, 'Your message is with Rosa Example')
      await page.goto('/inbox')
      await page.locator('.post-list__subject a').first().click()
      await sees(page, 'Yes, on Sunday.')

      await page.goto(`${letter}/forward`)
      await page.getByLabel('Find a public body').fill('council tax')
      await press(page, 'Search')
      await page.getByRole('radio').first().check()
      await press(page, 'Continue')
      await press(page, 'Continue')
      await press(page, 'Forward it')
      await sees(page, /Your message is with/)
      await page.context().close()
      await arthur.context().close()
    })

    test('a message is sent later, and can be stopped before', async () => {
      const page = await open('Rosa Example')
      await page.goto(write)
      await page.getByLabel('Subject').fill('Not before Friday')
      await page.getByLabel('Your message').fill('Now it is Friday.')
      await page.getByLabel('Later').check()
      await press(page, 'Send')
      await sees(page, 'Enter a real date and time')
      const fill = async () => {
        await page.getByLabel('Later').check()
        for (const [label, value] of [
          ['Day', '27'],
          ['Month', '11'],
          ['Year', '2026'],
          ['At what time?', '9:30am'],
        ] as const)
          await page.getByLabel(label, { exact: true }).fill(value)
        await press(page, 'Send')
      }
      await fill()
      await sees(page, '27 November 2026 at 9:30am')
      if (javaScriptEnabled) await assertLooksRight(page)
      await press(page, 'Stop, and change it')
      assert.equal(await page.getByLabel('Your message').inputValue(), 'Now it is Friday.')
      await fill()
      await page.goto('/drafts')
      await sees(page, 'Will be sent on 27 November 2026 at 9:30am')
      if (javaScriptEnabled) await assertLooksRight(page)
      const keys = deriveIdentifierKeys(server.config.secretKey)
      const send = () => sendDueDrafts(server.test.database, keys, now.at)
      assert.equal(await send(), 0)
      const before = now.at
      now.at = new Date('2026-11-27T09:30:00Z')
      // Both may have found it, and either may have come too late.
      assert.equal(Math.max(...(await Promise.all([send(), send()]))), 1)
      assert.equal(await send(), 0)
      const [sent] = await server.test.owner<
        { count: string }[]
      >`select count(*) from message where subject = 'Not before Friday'`
      assert.equal(sent!.count, '1')
      now.at = before
      await page.context().close()
    })

    test('a session that ends while somebody writes loses nothing, and gives it to nobody else', async () => {
      const page = await open('Rosa Example')
      await page.goto(write)
      await page.getByLabel('Subject').fill('A long letter')
      await page.context().clearCookies()
      await page.getByLabel('Your message').fill('What took an hour to write.')
      if (javaScriptEnabled) await sees(page, 'You have been signed out')
      await press(page, 'Save draft')
      await press(page, 'Sign in as Arthur Sample')
      await sees(page, 'There is nothing to go on with')
      const cookies = await page.context().cookies()
      await page.context().clearCookies()
      await page.context().addCookies(cookies.filter(({ name }) => name === 'digital-post-kept-form'))
      await page.goto('/kept-form')
      await press(page, 'Sign in as Rosa Example')
      await sees(page, 'The draft was saved')
      assert.equal(await page.getByLabel('Subject').inputValue(), 'A long letter')
      assert.equal(await page.getByLabel('Your message').inputValue(), 'What took an hour to write.')
      const kept = await server.test.owner`select from kept_form`
      assert.equal(kept.length, 0)
      await page.context().close()
    })

    test('a note that was written when the session had ended is saved after signing in, and never over another', async () => {
      const page = await open('Rosa Example')
      const letter = `/letters/${await answerable()}`
      const write = async (text: string) => {
        await page.goto(`${letter}/note`)
        await page.context().clearCookies()
        await page.getByLabel('Your note').fill(text)
        await press(page, 'Save note')
        await page.getByRole('button', { name: 'Sign in as Rosa Example' }).waitFor()
      }
      await write('Ring them on Monday, 01632 960123.')
      await press(page, 'Sign in as Rosa Example')
      await sees(page, 'The note is saved.')
      await sees(page, 'Ring them on Monday, 01632 960123.')

      await write('Ring them on Tuesday.')
      const other = await open('Rosa Example')
      await other.goto(`${letter}/note`)
      await other.getByLabel('Your note').fill('They rang.')
      await press(other, 'Save note')
      await press(page, 'Sign in as Rosa Example')
      await sees(page, 'They rang.')
      assert.equal(await page.getByLabel('Your note').inputValue(), 'Ring them on Tuesday.')
      await page.reload()
      assert.equal(await page.getByLabel('Your note').inputValue(), 'Ring them on Tuesday.')
      await page.context().close()
      await other.context().close()
    })
  })
}

/** By a grant, as if it had been offered and accepted. */
async function letArthurHelpRosa({ test: { database, owner }, config }: TestServer, now: Date): Promise<void> {
  const personOf = async (name: string) => {
    const [found] = await owner<{ partyId: string; mailboxId: string }[]>`
      select party.id as party_id, mailbox.id as mailbox_id from party join mailbox on mailbox.party_id = party.id where party.name = ${name}`
    const by = { kind: 'owner', id: found!.partyId, name } as const
    const rights = rightsOf('owner')
    return {
      ...found!,
      isOrganisation: false,
      rights,
      categories: undefined,
      by,
      door: 'citizen-pages',
      requestId: 'test',
    } as const
  }
  const [rosa, arthur] = [await personOf('Rosa Example'), await personOf('Arthur Sample')]
  const world = buildGrantWorld({ db: database, owner, rosa } as unknown as Post, now, deriveInvitationKey(config.secretKey))
  await world.give(rosa, arthur)
}

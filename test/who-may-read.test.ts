import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { launchBrowser } from './browser.ts'
import { callApi } from './call.ts'
import { startServer, type TestServer, takeToken } from './server.ts'
import {
  askToLink,
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

/**
 * Who can be reached, and who may read, as people live it: each person at a browser of their own, from signing in to the
 * click that is refused, with letters that systems send over the API.
 */
describe('who may read a letter', { timeout: 1_800_000 }, () => {
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

  const open = (javaScriptEnabled = true) => openBrowser(browser, server.baseUrl, { javaScriptEnabled })
  const personAt = async (name: string, javaScriptEnabled = true) => {
    const page = await open(javaScriptEnabled)
    await signIn(page, name)
    return page
  }

  type Sent = { value: string; subject: string; service?: string; client?: string; more?: Record<string, unknown> }
  const send = async ({ value, subject, service = 'council-tax', client = 'demo-sender', more }: Sent) => {
    const { status, body } = await callApi(server, await takeToken(server, client), 'POST', '/v1/messages', {
      reference: subject,
      service,
      recipient: { scheme: 'link', value },
      subject,
      content: [{ language: 'en', body: `This is ${subject}.` }],
      reply: { allowed: true },
      ...more,
    })
    return { status, id: body.id as string, code: body.code as string | undefined, advice: body.advice as string | undefined }
  }
  const sendOk = async (sent: Sent) => {
    const answer = await send(sent)
    assert.equal(answer.status, 201)
    return answer.id
  }
  const subjects = (page: Page) => page.locator('.post-list__subject').allTextContents()
  const looks = (page: Page) => page.locator('.post-looks__item').allInnerTexts()

  const link = async (page: Page, service: string, fieldName: string, number: string) => {
    await askToLink(page, service, fieldName, number)
    await page.getByLabel('Yes, send my letters here').check()
    await press(page, 'Continue')
    await sees(page, 'The service is linked')
  }
  const accept = async (page: Page, code: string) => {
    await enterCode(page, code)
    await press(page, 'Accept')
  }
  /** What a click is answered with: the page that is shown, and its status. */
  const statusOf = async (page: Page, click: () => Promise<void>) => {
    const answered = page.waitForResponse((answer) => answer.request().isNavigationRequest())
    await click()
    return (await answered).status()
  }

  for (const javaScriptEnabled of [true, false]) {
    test(`a daughter reads one service’s letters until her mother ends it, ${javaScriptEnabled ? 'with' : 'without'} JavaScript`, async () => {
      // The second time, she links again, by other numbers.
      const [tax, pension] = javaScriptEnabled ? ['CT-1003', 'SP-7005'] : ['CT-1005', 'SP-7006']
      const named = (subject: string) => `${subject} ${tax}`
      const year = new Date().getFullYear() + 1

      // 1. Priya, whom nobody can write to yet, links two services on their own sites.
      const priya = await personAt('Priya Specimen', javaScriptEnabled)
      assert.deepEqual(await send({ value: tax, subject: named('Too early') }).then(({ status, code }) => [status, code]), [
        422,
        'recipient-not-found',
      ])
      await link(priya, 'Northfold Council, Council tax', 'Your council tax account number', tax)
      await link(priya, 'Agency for Pensions and Support, State pension', 'Your pension reference', pension)

      // 2. Letters come by those numbers: one with a document, one for her eyes only, one of another service.
      const files = [{ filename: 'bill.txt', mediaType: 'text/plain', content: btoa('120 pounds') }]
      const bill = await sendOk({
        value: tax,
        subject: named('Your bill'),
        more: { documents: [{ role: 'main', title: 'The bill', files }] },
      })
      const secret = await sendOk({ value: tax, subject: named('For Priya alone'), more: { recipientOnly: true } })
      const other = await sendOk({
        value: pension,
        subject: named('Your forecast'),
        service: 'state-pension',
        client: 'demo-other',
      })
      await follow(priya, 'Inbox')
      for (const subject of ['Your bill', 'For Priya alone', 'Your forecast'])
        assert.ok((await subjects(priya)).includes(named(subject)), subject)

      // 3. She lets her daughter read the council tax's letters, until a day.
      await goTo(priya, 'My details')
      await follow(priya, 'People who help you with your post')
      await press(priya, 'Let somebody help you')
      const code = await invite(priya, { name: 'My daughter Gwen', sender: 'Council tax (Northfold Council)', untilYear: year })

      // 4. The daughter accepts with the code at her own browser, and opens the mailbox there and on her telephone.
      const gwen = await personAt('Gwen Enghraifft', javaScriptEnabled)
      await accept(gwen, code)
      const telephone = await personAt('Gwen Enghraifft', javaScriptEnabled)
      for (const page of [gwen, telephone]) await openMailboxOf(page, 'Priya Specimen')
      const banner = gwen.getByRole('region', { name: 'Whose mailbox is open' })
      assert.match(
        (await banner.textContent()) ?? '',
        new RegExp(
          `Priya Specimen’s mailbox, as a helper \\(read only, Council tax only, until 3 March ${year}\\)\\. You are Gwen Enghraifft`,
        ),
      )

      // 5. She reads the bill. The others are not there, and do not exist for her.
      const shown = await subjects(gwen)
      assert.ok(shown.includes(named('Your bill')))
      assert.deepEqual(
        shown.filter((subject) => !/^(Your bill|By )/.test(subject)),
        [],
      )
      for (const page of [gwen, telephone]) {
        await follow(page, named('Your bill'))
        await sees(page, `This is ${named('Your bill')}.`)
        assert.equal(await banner.count(), 1)
      }
      for (const id of [secret, other]) {
        assert.equal((await gwen.request.get(`/letters/${id}`)).status(), 404)
        assert.doesNotMatch(await (await gwen.request.get('/inbox')).text(), new RegExp(id))
      }

      // 6. She finds no way to answer or to write, and the addresses for it refuse.
      await sees(gwen, 'You can read this letter, and cannot answer it')
      assert.equal(await gwen.getByRole('button', { name: 'Answer' }).count(), 0)
      assert.equal(await gwen.getByRole('link', { name: 'Write', exact: true }).count(), 0)
      const csrf = await gwen.locator('input[name="csrf"]').first().inputValue()
      const answer = `/letters/${bill}/answer`
      assert.equal((await gwen.request.get(answer)).status(), 403)
      const forged = { csrf, text: 'An answer that she may not give' }
      assert.equal((await gwen.request.post(answer, { multipart: forged })).status(), 403)
      for (const address of ['/write', '/linked-services', '/helpers', '/registration'])
        assert.equal((await gwen.request.get(address)).status(), 403, address)
      const { body: inbox } = await callApi(server, await takeToken(server), 'GET', '/v1/inbox')
      assert.doesNotMatch(JSON.stringify(inbox), /that she may not give/)

      // 7. Priya sees what her daughter did.
      await goTo(priya, 'My details')
      await follow(priya, 'Who looked at what')
      await follow(priya, 'Only others')
      const seen = await looks(priya)
      assert.ok(
        seen.some((look) => look.includes(`Gwen Enghraifft (was let into this mailbox) opened a letter: ${named('Your bill')}`)),
        seen.join('\n'),
      )
      assert.ok(seen.some((look) => look.includes('Gwen Enghraifft (was let into this mailbox) opened this mailbox')))

      // 8. She ends it. The next click is refused, a download too, with what it means.
      await goTo(priya, 'My details')
      await follow(priya, 'People who help you with your post')
      await follow(priya, 'Gwen Enghraifft')
      await press(priya, 'End it now')
      await sees(priya, 'Before')
      const clicks = [
        [gwen, () => follow(gwen, 'Inbox')],
        [telephone, () => click(telephone.locator('a[href*="/files/"], a[href*="/documents/"]').first())],
      ] as const
      for (const [page, click] of clicks) {
        assert.equal(await statusOf(page, click), 403)
        assert.equal(await headingOf(page), 'You can no longer open that mailbox')
        await sees(page, 'You are in your own mailbox again')
        assert.equal(await page.getByRole('region', { name: 'Whose mailbox is open' }).count(), 0)
        assert.doesNotMatch(await page.content(), /Your bill|120 pounds/)
      }
      assert.equal((await gwen.request.get(`/letters/${bill}`)).status(), 404)
      await follow(gwen, 'See which mailboxes you can open')
      assert.equal(await gwen.getByText('Priya Specimen').count(), 0)
      for (const page of [priya, gwen, telephone]) await page.context().close()
    })
  }

  test('a business’s administrator lets an accountant see one sender’s letters', async () => {
    // The council's parking service writes to the business too: a member of staff does, on a page.
    const mel = await open()
    await signInToWork(mel, 'Mel Placeholder', '/department')
    await follow(mel, 'Write a letter')
    await mel.getByLabel('Parking').check()
    await mel.getByLabel('The person’s number at your service').fill('PK-6001')
    await mel.getByLabel('Subject').fill('A permit for your van')
    await mel.getByLabel('The letter').fill('Your van may park at the market.')
    await press(mel, 'Send the letter')
    await sees(mel, 'Your letter has been delivered')

    const arthur = await personAt('Arthur Sample')
    await openMailboxOf(arthur, 'Example Bakery Ltd')
    const before = await subjects(arthur)
    assert.ok(before.includes('A permit for your van') && before.includes('Council tax for the flat above your shop'))
    await follow(arthur, 'People')
    await press(arthur, 'Add somebody')
    const code = await invite(arthur, {
      name: 'The accountant',
      sender: 'Council tax (Northfold Council)',
      isAdviser: true,
    })

    const accountant = await personAt('Rosa Example')
    await accept(accountant, code)
    await openMailboxOf(accountant, 'Example Bakery Ltd')
    await sees(accountant, 'as an adviser from outside (read only, Council tax only)')
    assert.deepEqual(await subjects(accountant), ['Council tax for the flat above your shop'])
    await follow(accountant, 'Council tax for the flat above your shop')
    await sees(accountant, 'You can read this letter, and cannot answer it')
    assert.equal(await accountant.getByRole('link', { name: 'People', exact: true }).count(), 0)
    assert.equal((await accountant.request.get('/people')).status(), 403)

    await goTo(arthur, 'My details')
    await follow(arthur, 'Who looked at what')
    await sees(arthur, /Rosa Example.*Council tax for the flat above your shop/)
    for (const page of [mel, arthur, accountant]) await page.context().close()
  })

  test('who is exempt is refused to senders with the advice to use paper, until they join again', async () => {
    const token = await takeToken(server)
    const identifier = { scheme: 'link', value: 'CT-1001' }
    const lookUp = async () => {
      const { body } = await callApi(server, token, 'POST', '/v1/recipients/lookup', { recipients: [identifier] })
      const { status, reachable, reason, advice } = body.recipients[0]
      return { status, reachable, reason, advice }
    }
    const changesSince = async (after: string | undefined) => {
      const { body } = await callApi(server, token, 'GET', `/v1/recipients/changes${after ? `?after=${after}` : ''}`)
      return {
        next: body.next as string,
        statuses: body.changes
          .filter((change: { identifier: unknown }) => JSON.stringify(change.identifier) === JSON.stringify(identifier))
          .map(({ status }: { status: string }) => status),
      }
    }
    const { next } = await changesSince(undefined)

    const rosa = await personAt('Rosa Example')
    await goTo(rosa, 'My details')
    await follow(rosa, 'Your digital post')
    await follow(rosa, 'Stop getting digital post')
    await press(rosa, 'Stop digital post')
    await sees(rosa, 'You are exempt from digital post now')

    const refused = await send({ value: 'CT-1001', subject: 'To an exempt person' })
    assert.deepEqual(refused, { status: 422, id: undefined, code: 'recipient-exempt', advice: 'other-channel' })
    assert.deepEqual(await lookUp(), {
      status: 'exempt',
      reachable: false,
      reason: 'recipient-exempt',
      advice: 'other-channel',
    })
    const told = await changesSince(next)
    assert.deepEqual(told.statuses, ['exempt'])

    await press(rosa, 'Get digital post again')
    await press(rosa, 'Get digital post again')
    await sees(rosa, 'You get digital post again now')
    await sendOk({ value: 'CT-1001', subject: 'To somebody who came back' })
    assert.deepEqual((await lookUp()).status, 'registered')
    assert.deepEqual((await changesSince(told.next)).statuses, ['registered'])
    await follow(rosa, 'Inbox')
    assert.ok((await subjects(rosa)).includes('To somebody who came back'))
    await rosa.context().close()
  })

  test('a registrar closes the mailbox of somebody who has died: post is refused, and who helped is out', async () => {
    const gwen = await personAt('Gwen Enghraifft')
    await goTo(gwen, 'My details')
    await follow(gwen, 'People who help you with your post')
    await press(gwen, 'Let somebody help you')
    const code = await invite(gwen, { name: 'My neighbour Arthur' })
    const arthur = await personAt('Arthur Sample')
    await accept(arthur, code)
    await openMailboxOf(arthur, 'Gwen Enghraifft')
    assert.notEqual((await subjects(arthur)).length, 0)

    // Not without a reason.
    const bo = await open()
    await signInToWork(bo, 'Bo Dummyname', '/registrar')
    await bo.getByLabel('Full name').fill('Gwen Enghraifft')
    await fillDate(bo, 'Birth date', ['11', '2', '1966'])
    await press(bo, 'Search')
    await sees(bo, 'There is a problem')
    await bo.getByLabel('Why do you look?').fill('Death certificate 4711')
    await press(bo, 'Search')
    await sees(bo, '1 record found')
    await press(bo, 'Gwen Enghraifft')
    await sees(bo, 'You look because: Death certificate 4711')

    // Whoever's record it is can read that he did, and why.
    await goTo(gwen, 'My details')
    await follow(gwen, 'Who looked at what')
    await follow(gwen, 'Only others')
    const seen = await looks(gwen)
    for (const did of ['found this record in a search', 'looked at the record of this mailbox in the register, and no letters'])
      assert.ok(
        seen.some((look) => look.includes(`Bo Dummyname (registrar) ${did}`) && look.includes('Why: Death certificate 4711')),
        seen.join('\n'),
      )

    await follow(bo, 'Close the mailbox')
    await bo.getByLabel('The person has died').check()
    const [year, month, day] = new Date(Date.now() - 86_400_000).toISOString().split(/[-T]/) as [string, string, string]
    await fillDate(bo, 'On which day?', [day, month, year])
    await bo.getByLabel('Why do you do this?').fill('The family wrote, with the certificate')
    await press(bo, 'Continue')
    await sees(bo, 'New post is refused')
    await press(bo, 'Close the mailbox')
    await sees(bo, 'The mailbox is closed')

    assert.deepEqual(await send({ value: 'SP-7003', subject: 'To the dead', service: 'state-pension', client: 'demo-other' }), {
      status: 422,
      id: undefined,
      code: 'recipient-closed',
      advice: 'other-channel',
    })
    assert.equal(await statusOf(arthur, () => follow(arthur, 'Inbox')), 403)
    assert.equal(await headingOf(arthur), 'You can no longer open that mailbox')
    await follow(arthur, 'See which mailboxes you can open')
    assert.equal(await arthur.getByText('Gwen Enghraifft').count(), 0)

    await follow(bo, 'Log')
    const log = await looks(bo)
    for (const entry of [
      /Bo Dummyname: Closed the mailbox\s+Record of Gwen Enghraifft[\s\S]*The family wrote, with the certificate/,
      /Bo Dummyname: Looked at the record\s+Record of Gwen Enghraifft\s+Why: Death certificate 4711/,
    ])
      assert.ok(
        log.some((line) => entry.test(line)),
        `${entry} in:\n${log.join('\n')}`,
      )
    // One Login still knows her, and the stand-in has her signed in there: she comes back at once, and no further.
    await gwen.goto('/inbox')
    await sees(gwen, 'This mailbox is closed')
    await sees(gwen, 'nobody can sign in to it')
    for (const page of [gwen, arthur, bo]) await page.context().close()
  })
})

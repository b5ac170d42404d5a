import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { northfoldContacts } from '../demo/contact-points.ts'
import { readConfig } from '../src/config.ts'
import { acceptOne } from '../src/delivery/accept.ts'
import { changeBatch } from '../src/delivery/change-batch.ts'
import { findMailing } from '../src/delivery/find-mailings.ts'
import { startMailing } from '../src/delivery/start-mailing.ts'
import { workOnMailings } from '../src/delivery/work-on-mailings.ts'
import type { NewAction } from '../src/documents/action.ts'
import { noteAlive } from '../src/evidence/note-alive.ts'
import { find } from '../src/mailbox/find.ts'
import { listInbox } from '../src/mailbox/list.ts'
import { register } from '../src/registry/register.ts'
import { launchBrowser } from './browser.ts'
import { addClerk } from './department.ts'
import { holdLetters } from './held-letters.ts'
import { askAxe, lookAt, lookAtWords } from './look-at.ts'
import { billsFor, limits, makeMailing, stage } from './mailings.ts'
import { type Pages, type Reader, startPages } from './pages.ts'
import { sealAll } from './seal-all.ts'
import { startServer, type TestServer } from './server.ts'
import {
  askToLink,
  click,
  enterCode,
  follow,
  invite,
  openBrowser,
  openMailboxOf,
  press,
  sees,
  signIn,
  signInToWork,
} from './steps.ts'

const body = `# Your bill

| Due | Amount |
|---|--:|
| 1 April | £120 |

### Pay

- by [Direct Debit](https://pay.northfold.example)

> Thank you.
`

/** The demo's tree in place of the plain points, which the member of staff looks after. */
async function addContactPoints({ post }: Pages): Promise<string> {
  const services = [
    { slug: 'council-tax', name: 'Council tax' },
    { slug: 'parking', name: 'Parking' },
    { slug: 'libraries', name: 'Libraries' },
  ]
  const council = { slug: 'northfold-council', name: 'Northfold Council', services, contacts: northfoldContacts }
  const at = new Date('2026-11-01T10:00:00Z')
  await register(post.owner, post.keys, { organisations: [council] }, { scopes: [], demo: false }, at)
  await post.owner`
    insert into staff_role (staff_id, service_id, role)
    select id, ${post.serviceId}, 'contact-manager' from staff_member where subject = 'mel'`
  const [point] = await post.owner<{ id: string }[]>`select id from contact_point where slug = 'moving-home'`
  return point!.id
}

/** Notes what is wrong with how the page looks. */
const inspect = async (page: Page, found: string[]) => void found.push(...(await lookAt(page)))

/** One in each of its states, the last of them ready to send; the address of each, and of the pages of a template. */
async function makeMailings({ post }: Pages, at: Date): Promise<string[]> {
  const clerk = await addClerk(post, 'Clerk', [{ serviceId: post.serviceId, role: 'post-writer' }])
  const work = () => workOnMailings(post.db, post.keys, limits, () => at, new AbortController().signal)
  const good = billsFor(['CT-1,Rosa,1.50', 'CT-2,Arthur,2', 'CT-9999,Nobody,3'])
  const make = async (csv?: string) => {
    const id = await makeMailing(post, clerk, at)
    if (csv) await stage(post, clerk, id, csv, at)
    return id
  }
  const send = async (id: string) => {
    const { fileId } = await findMailing(post.db, clerk, id)
    await startMailing(post.db, clerk, id, { fileId: fileId!, letters: 2, hold: false, availableFrom: undefined }, at)
  }
  const sent = await make(good)
  await work()
  await send(sent)
  const [ready, sending, stopped] = [await make(good), await make(good), await make(good)]
  await work()
  await send(stopped)
  await changeBatch(post.db, clerk, (await findMailing(post.db, clerk, stopped)).batchId!, 'stop', at)
  await work()
  await send(sending)
  const { templateId } = await findMailing(post.db, clerk, sent)
  const inStates = [
    await make(),
    await make(good),
    await make(billsFor(['CT-1,,1', 'CT-2,=A1,2'])),
    sending,
    sent,
    stopped,
    ready,
  ]
  const template = `/department/templates/${templateId}`
  const pages = [`${template}/edit`, template, `${template}/versions/1`, `${template}/history`, '/department/templates']
  return [...pages, '/department/mailings', ...inStates.map((id) => `/department/mailings/${id}`)]
}

/** Where all is done. What it looks like in other windows, each look says. */
const phone = { viewport: { width: 375, height: 740 } }

describe('in a browser', () => {
  const now = { at: new Date('2026-11-23T10:00:00Z') }
  let pages: Pages
  let browser: Browser
  let address: string
  let letterId: string
  let fileId: string
  let pointId: string
  let actionAddresses: string[]
  before(async () => {
    pages = await startPages(now)
    const { db, keys, council, letter, rosa } = pages.post
    for (let i = 0; i < 22; i++) await acceptOne(db, keys, council, letter(`before ${i}`), now.at)
    now.at = new Date(now.at.getTime() + 1_000)
    const content = [
      { language: 'en', body },
      { language: 'cy', subject: 'Eich bil', body: 'Bore da' },
    ]
    const files = [{ filename: 'note.txt', mediaType: 'text/plain', content: btoa('A note') }]
    const until = new Date(now.at.getTime() + 86_400_000).toISOString()
    const appointment = { start: until, end: until.replace('-24T', '-25T') }
    const actions: NewAction[] = [
      { kind: 'confirm', label: { en: 'Confirm this' }, until: now.at.toISOString() },
      { kind: 'book', label: { en: 'Meet us', cy: 'Cwrdd â ni' }, appointment },
    ]
    const submission = { ...letter('whole'), actions, content, documents: [{ role: 'main' as const, files }] }
    letterId = (await acceptOne(db, keys, council, submission, now.at)).messageId
    actionAddresses = (await find(db, rosa, letterId)).actions.map(({ id }) => `/to-do/${letterId}/${id}`)
    fileId = (await find(db, rosa, letterId)).documents[0]!.files[0]!.id
    await pages.post.owner`update party set birth_date = '1984-05-17' where id = ${rosa.partyId}`
    pointId = await addContactPoints(pages)
    address = await pages.app.listen({ host: '127.0.0.1', port: 0 })
    pages.app.ownOrigin = address
    await sealAll(db, readConfig({ DEMO: 'true', LOG_LEVEL: 'silent' }), address, now.at)
    browser = await launchBrowser()
  })
  after(async () => {
    await browser?.close()
    await pages.stop()
  })

  const inBrowser = async (reader: Reader, options: BrowserContextOptions, look: (page: Page) => Promise<void>) => {
    const context = await browser.newContext({ ...options, baseURL: address })
    const cookie = await pages.signIn(reader)
    if (cookie) await context.addCookies([{ ...cookie, url: address }])
    try {
      await look(await context.newPage())
    } finally {
      await context.close()
    }
  }

  test('nothing looks wrong on any page', { timeout: 1_800_000 }, async () => {
    const found: string[] = []
    const visit = (reader: Reader, urls: string[]) =>
      inBrowser(reader, phone, async (page) => {
        page.on('console', (message) => {
          if (/Content Security Policy/i.test(message.text())) found.push(`${page.url()}: ${message.text()}`)
        })
        for (const url of urls) {
          await page.goto(url)
          await inspect(page, found)
        }
        if (reader === 'nobody') return
        await page.goto(urls.at(-1)!)
        await page.getByRole('button', { name: /^Send/ }).click()
        await page.getByText('There is a problem').waitFor()
        await inspect(page, found)
        await page.locator('#text').fill('It says this')
        await page.getByLabel('Subject').fill('A subject')
        if (reader === 'staff') await page.getByLabel('number at your service').fill('CT-1')
        await page.getByRole('button', { name: /^Send/ }).click()
        await page.getByText('What happens next').waitFor()
        await inspect(page, found)
        await page.getByRole('link', { name: 'See what you sent' }).click()
        await inspect(page, found)
      })
    const letter = `/letters/${letterId}`
    await visit('nobody', [
      '/',
      '/nowhere',
      '/status',
      '/verify',
      '/signed-out',
      '/sign-in/callback',
      '/department/sign-in/callback',
    ])
    await visit('nobody', ['/?lang=cy', '/nowhere', '/status', '/verify', '/signed-out', '/sign-in/callback'])
    await visit('arthur', ['/inbox', '/sent', '/write/northfold-council/council-tax'])
    await visit('rosa', [
      '/inbox',
      '/inbox?page=2',
      letter,
      `${letter}?language=cy`,
      `${letter}/documents/${fileId}`,
      `${letter}/proof`,
      `${letter}/print`,
      '/my-details/download',
      '/to-do',
      '/to-do?show=done',
      ...actionAddresses,
      '/to-do/calendar',
      `${letter}/answer`,
      `${letter}/forward`,
      `${letter}/forward?q=council+tax&other=`,
      '/drafts',
      '/kept-form',
      '/write',
      '/write?q=parking+fine',
      '/write?q=xylophone',
      '/write/northfold-council',
      '/write/northfold-council/groups/roads',
      '/write/northfold-council/missed-bin',
      '/write/northfold-council/appeal-a-parking-fine',
      '/write/northfold-council/council-tax',
    ])
    await visit('rosa', [
      '/search',
      '/search?q=bill',
      '/search?q=bil+zeppelin&document=yes',
      '/search?q=bill&mailbox=all&from=yesterday',
      '/search?q=bill&page=2',
      '/search?q=council&where=sent',
      '/search?q=council&where=drafts&unread=yes',
      '/write/northfold-council/council-tax',
    ])
    await visit('rosa', ['/sent', '/looks', '/looks/others', '/write/northfold-council/council-tax'])
    const { letters } = await listInbox(pages.post.db, pages.post.council, 1)
    const message = `/department/messages/${letters[0]!.id}`
    const points = '/department/contact-points'
    const contacts = [points, `${points}/new`, `${points}/${pointId}`, `${points}/groups/new`]
    await visit('staff', ['/department', message, `${message}/proof`, `${message}/answer`, ...contacts, '/department/write'])
    // The API's description is as long as a book: axe is asked once.
    await inBrowser('nobody', phone, async (page) => {
      await page.goto('/docs')
      found.push(...(await askAxe(page)), ...(await lookAtWords(page)))
    })
    assert.deepEqual(found, [])
  })

  for (const language of ['en', 'cy']) {
    test(`nothing looks wrong on what is about oneself, and on the pages of help, in ${language}`, {
      timeout: 1_800_000,
    }, async () => {
      const found: string[] = []
      await inBrowser('rosa', phone, async (page) => {
        const folder = '/my-details'
        for (const url of [folder, `${folder}/name`, `${folder}/language`, `${folder}/devices?done=ended`, '/welcome']) {
          await page.goto(`${url}${url.includes('?') ? '&' : '?'}lang=${language}`)
          await inspect(page, found)
        }
        for (const [kind, value] of [['email', `rosa.${language}@mail.example`] as const, ['mobile', '07700900123'] as const]) {
          await page.goto(`${folder}/contact/add/${kind}`)
          await page.locator('main form button').click()
          await inspect(page, found)
          await page.locator('#value').fill(value)
          await page.locator('main form button').click()
          await page.locator('#code').fill('12')
          await page.locator('main form button').first().click()
          await inspect(page, found)
        }
        await pages.post
          .owner`update contact_detail set verified_at = created_at, reconfirmed_at = '2020-01-01' where kind = 'email'`
        await page.goto(`${folder}/contact?done=verified`)
        await inspect(page, found)
        await page.locator('main a[href$="/remove"]').first().click()
        await inspect(page, found)
        await pages.post.owner`delete from contact_detail`
        await pages.post.owner`delete from outgoing`
      })
      await inBrowser('nobody', phone, async (page) => {
        const help = ['accessibility', 'contact', 'cookies', 'is-this-letter-real', 'privacy', 'demo/outbox']
        for (const url of [...help, `confirm-email/${'x'.repeat(43)}`]) {
          await page.goto(`/${url}?lang=${language}`)
          await inspect(page, found)
        }
      })
      assert.deepEqual(found, [])
    })
  }

  test('nothing looks wrong on the registrar’s pages', { timeout: 1_800_000 }, async () => {
    const found: string[] = []
    await inBrowser('registrar', phone, async (page) => {
      const look = () => inspect(page, found)
      const visit = async (url: string) => {
        await page.goto(url)
        await look()
      }
      const press = async (name: string) => {
        await page.getByRole('button', { name, exact: true }).click()
        await look()
      }
      const pages = [
        '/registrar',
        '/registrar/businesses',
        '/registrar/numbers',
        '/registrar/merges',
        '/registrar/businesses/new',
      ]
      for (const url of pages) await visit(url)
      await press('Continue')
      await page.goto('/registrar')
      await press('Search')
      await findRosa(page)
      await look()
      await press('Rosa Example')
      const record = page.url()
      for (const action of ['registration/exempt', 'registration/close', 'grants/new']) {
        await visit(`${record}/${action}`)
        await press('Continue')
      }
      for (const [action, button] of [['exempt', 'Exempt from digital post'] as const, ['join', 'Join again'] as const]) {
        await visit(`${record}/registration/${action}`)
        await page.getByLabel('Why do you do this?').fill('She telephoned')
        await press('Continue')
        await press(button)
        await page.getByText('Success').waitFor()
      }
      await visit('/registrar/log')
    })
    assert.deepEqual(found, [])
  })

  test('nothing looks wrong on templates and mailings', { timeout: 1_800_000 }, async () => {
    const found: string[] = []
    const addresses = await makeMailings(pages, now.at)
    await inBrowser('staff', phone, async (page) => {
      const press = async (url: string, name: RegExp) => {
        await page.goto(url)
        await page.getByRole('button', { name }).first().click()
        await inspect(page, found)
      }
      for (const url of addresses) {
        await page.goto(url)
        await page.evaluate('for (const each of document.querySelectorAll("details")) each.open = true')
        await inspect(page, found)
      }
      await press('/department/templates/new', /^Save/)
      await press(addresses[0]!, /^Preview/)
      await press('/department/mailings/new', /^Continue/)
      await page.goto(addresses.at(-1)!)
      await page.getByLabel('Not before a time').check()
      await page.getByRole('button', { name: /^Send/ }).click()
      await inspect(page, found)
    })
    assert.deepEqual(found, [])
  })

  test('nothing looks wrong on what is said of a receipt', { timeout: 1_800_000 }, async () => {
    const found: string[] = []
    const proof = await pages.get('rosa', `/letters/${letterId}/proof`)
    const [, href] = /href="([^"]+\/proof\/[0-9a-f-]{36})"/.exec(proof.body)!
    const receipt = (await pages.get('rosa', href!)).rawPayload
    const check = async (page: Page, bytes: Buffer | undefined, document: string, says: string) => {
      await page.goto('/verify')
      const mimeType = 'application/octet-stream'
      if (bytes) await page.locator('#receipt').setInputFiles({ name: 'a.tlog-proof', mimeType, buffer: bytes })
      await page.locator('#documents').setInputFiles({ name: 'note.txt', mimeType, buffer: Buffer.from(document) })
      await page.getByRole('button', { name: 'Check', exact: true }).click()
      await page.getByRole('heading', { name: says }).waitFor()
      await page.evaluate('for (const each of document.querySelectorAll("details")) each.open = true')
      await inspect(page, found)
    }
    await inBrowser('nobody', phone, async (page) => {
      await check(page, receipt, 'A note', 'The receipt is valid')
      await check(page, receipt, 'Another note', 'The receipt is not valid')
      await check(page, receipt.subarray(1), 'A note', 'The receipt is not valid')
      await check(page, undefined, 'A note', 'There is a problem')
    })
    assert.deepEqual(found, [])
  })

  const findRosa = async (page: Page) => {
    await page.goto('/registrar')
    await page.getByLabel('Why do you look?').fill('She telephoned')
    await page.getByLabel('Full name').fill('Rosa Example')
    await page.getByLabel('Day').fill('17')
    await page.getByLabel('Month').fill('5')
    await page.getByLabel('Year').fill('1984')
    await page.getByRole('button', { name: 'Search' }).click()
    await page.getByText('1 record found').first().waitFor()
  }

  test('everything works without JavaScript', { timeout: 1_800_000 }, async () => {
    await inBrowser('rosa', { javaScriptEnabled: false }, async (page) => {
      await page.goto('/inbox')
      await page.locator(`a[href="/letters/${letterId}"]`).click()
      await page.getByRole('main').getByRole('link', { name: 'Cymraeg' }).click()
      assert.equal(await page.locator('h1').textContent(), 'Eich bil')
      await page.getByRole('button', { name: 'Answer' }).click()
      await page.getByLabel('Your answer').fill('Without a script')
      await page.getByLabel('Add files').setInputFiles({ name: 'a.txt', mimeType: 'text/plain', buffer: Buffer.from('x') })
      await page.getByRole('button', { name: 'Send' }).click()
      await page.getByText('Your message is with Northfold Council').first().waitFor()
      await page.getByRole('link', { name: 'Sent', exact: true }).click()
      await page.getByRole('link', { name: 'Answer: Your bill' }).first().waitFor()
    })
    await inBrowser('staff', { javaScriptEnabled: false }, async (page) => {
      await page.goto('/department')
      await page.getByRole('link', { name: 'Answer: Your bill' }).first().click()
      await page.getByText('Without a script').waitFor()
      await page.getByRole('button', { name: 'Answer' }).click()
      await page.getByLabel('Your answer').fill('And back')
      await page.getByRole('button', { name: 'Send' }).click()
      await page.getByText('Your letter has been delivered').first().waitFor()
    })
    await inBrowser('registrar', { javaScriptEnabled: false }, async (page) => {
      await findRosa(page)
      await page.getByRole('button', { name: 'Rosa Example' }).click()
      await page.getByText('You can come back to this page until').waitFor()
    })
    await inBrowser('rosa', { javaScriptEnabled: false }, async (page) => {
      await page.goto('/looks')
      await page.getByRole('link', { name: 'Only others' }).click()
      await page.getByText('She telephoned').first().waitFor()
    })
  })
})

/** Somebody at a browser, each of whose pages is looked at. */
type Visit = {
  page: Page
  /** At the page that is shown. */
  look: () => Promise<void>
  visit: (...urls: string[]) => Promise<void>
  /** Presses the button, and looks at what it leads to. */
  press: (name: string) => Promise<void>
}

describe('the pages about who may read, in a browser', () => {
  let browser: Browser
  before(async () => {
    browser = await launchBrowser()
  })
  after(async () => {
    await browser?.close()
  })

  for (const javaScriptEnabled of [true, false]) {
    test(`work ${javaScriptEnabled ? 'with' : 'without'} JavaScript, and nothing looks wrong on them`, {
      timeout: 1_800_000,
    }, async () => {
      // Somebody who signs in for the first time is asked for consent; the others of the demo world are not.
      const server = await startServer({ REGISTRATION_BASIS: 'consent' })
      const found: string[] = []
      const begin = async (enter: (page: Page) => Promise<void>): Promise<Visit> => {
        const page = await openBrowser(browser, server.baseUrl, { javaScriptEnabled, ...phone })
        await enter(page)
        // Axe is a script itself.
        const look = () => (javaScriptEnabled ? inspect(page, found) : lookAtWords(page).then((said) => void found.push(...said)))
        const visit = async (...urls: string[]) => {
          for (const url of urls) {
            await page.goto(url)
            await look()
          }
        }
        return { page, look, visit, press: (name) => press(page, name).then(look) }
      }
      try {
        await visitLinking(await begin((page) => signIn(page, 'Priya Specimen')))
        await visitHelping(
          await begin((page) => signIn(page, 'Rosa Example')),
          await begin((page) => signIn(page, 'Gwen Enghraifft')),
        )
        await visitBusiness(await begin((page) => signIn(page, 'Arthur Sample')))
        await visitDepartment(await begin((page) => signInToWork(page, 'Mel Placeholder', '/department')))
        await visitHeldBatch(await begin((page) => signInToWork(page, 'Mel Placeholder', '/department')), server)
        await visitFollowing(await begin((page) => signInToWork(page, 'Mel Placeholder', '/department')), server)
      } finally {
        for (const context of browser.contexts()) await context.close()
        await server.stop()
      }
      assert.deepEqual(found, [])
    })
  }

  const visitLinking = async ({ page, look, visit, press }: Visit) => {
    await visit('/my-details', '/linked-services', '/linked-services/link/council-tax', '/registration', '/looks')
    const menu = page.getByRole('button', { name: 'Menu', exact: true })
    if (await menu.isVisible()) await menu.click().then(look)
    await page.goto('/registration')
    await press('I consent to General letters')
    await press('Withdraw consent to General letters')
    const ask = async (number: string) => {
      await askToLink(page, 'Northfold Council, Council tax', 'Your council tax account number', number)
      await look()
    }
    await ask('CT-1003')
    await press('Continue')
    await sees(page, 'Select whether to link the service')
    await page.getByLabel('Yes, send my letters here').check()
    await press('Continue')
    await sees(page, 'The service is linked')
    await ask('CT-1004')
    const question = page.url()
    await page.getByLabel('No, do not link it').check()
    await press('Continue')
    await visit(question)
    await sees(page, 'This has been used already')
    await ask('CT-1001')
    await sees(page, 'This number is linked with another mailbox')
    await page.goto('/linked-services')
    await follow(page, 'Unlink Northfold Council, Council tax ending in 003')
    await look()
    await press('Unlink')
  }

  const visitHelping = async (owner: Visit, helper: Visit) => {
    await owner.visit('/my-details', '/linked-services', '/helpers', '/helpers/add')
    await owner.press('Make the invitation')
    await sees(owner.page, 'There is a problem')
    const sender = 'Council tax (Northfold Council)'
    const code = await invite(owner.page, { name: 'My daughter Gwen', sender, untilYear: new Date().getFullYear() + 1 })
    await owner.look()
    const invitation = owner.page.url()

    await helper.visit('/helping')
    await helper.press('Continue')
    await sees(helper.page, 'Enter the code')
    await enterCode(helper.page, code)
    await helper.look()
    await helper.press('Accept')
    await helper.press('Open the mailbox of Rosa Example')
    await click(helper.page.locator('.post-list__subject a').first())
    await helper.look()
    await helper.visit('/my-details', '/looks', '/mailboxes', '/helping', '/linked-services', '/registration', '/helpers')
    await helper.page.goto('/helping')
    await follow(helper.page, 'Rosa Example')
    await helper.look()

    await owner.visit(invitation, '/helpers', '/looks', '/looks/others')
    await owner.page.goto(invitation)
    await owner.press('End it now')
    await helper.page.goto('/inbox')
    await sees(helper.page, 'You can no longer open that mailbox')
    await helper.look()

    await owner.visit('/registration', '/registration/exempt')
    await owner.press('Stop digital post')
    await owner.visit('/registration/join')
    await owner.press('Get digital post again')
  }

  const visitBusiness = async ({ page, look, visit, press }: Visit) => {
    await visit('/mailboxes', '/people/lost')
    await openMailboxOf(page, 'Example Bakery Ltd')
    await visit('/inbox', '/my-details', '/people', '/people/add')
    await press('Make the invitation')
    await sees(page, 'There is a problem')
    await invite(page, { name: 'The accountant', isAdviser: true })
    await look()
    await page.goto('/people')
    await follow(page, 'Arthur Sample')
    await press('End it now')
    await sees(page, 'There is no other administrator')
    await press('Back to your own')
  }

  const visitHeldBatch = async ({ page, look, visit, press }: Visit, server: TestServer) => {
    const { owner } = server.test
    await owner`update service set release_by_two = true where slug = 'council-tax'`
    const batch = `/department/batches/${await holdLetters(server)}`
    await visit('/department/batches', batch)
    await press('Close the batch')
    await visit(`${batch}/sample`)
    await follow(page, 'Your autumn bill')
    await look()
    await visit(`${page.url()}/recall`, `${batch}/recall`)
    await press('Discard the batch')
    await sees(page, 'Enter why you discard the batch')
    await visit(`${batch}/release`)
    await press('Ask for the release')
    await sees(page, 'It waits for another member of staff')
    await follow(page, 'See what you asked for')
    await look()
    await owner`update approval set asked_by = (select id from staff_member where name = 'Jo Testcase')`
    await owner`
      insert into staff_role (staff_id, service_id, role)
      select staff_member.id, service.id, 'post-writer' from staff_member, service where staff_member.name = 'Jo Testcase' and slug = 'council-tax'`
    await visit('/department/approvals', batch)
    await follow(page, 'Approve or refuse')
    await look()
    await press('Approve')
    await visit(batch)
  }

  const visitDepartment = async ({ visit }: Visit) => {
    await visit('/department/systems', '/department/approvals', '/department/staff', '/department/logs')
    await visit('/department/sites', '/department/payments', '/department/payments/council-tax')
  }

  const visitFollowing = async ({ page, visit, press }: Visit, { test: { owner } }: TestServer) => {
    const webhook = '/department/webhooks/council-tax'
    await visit('/department/webhooks', webhook)
    await press('Add the webhook')
    await sees(page, 'There is a problem')
    await page.getByLabel('Address').fill('https://127.0.0.1/events')
    await press('Add the webhook')
    await sees(page, 'Copy the secret now')
    const at = new Date('2026-11-23T10:00:00Z')
    await owner`
      insert into webhook_delivery (service_id, position, event_id, message_id, is_dead, due_at, tries, last_tried_at, failure)
      select sender_id, position, id, message_id, true, ${at}, 12, ${at}, '{"code": "answered", "status": 500}'
      from event where sender_id = (select service_id from webhook) order by position limit 2`
    await visit('/department/webhooks', webhook)
    await press('Make a new secret')
    await visit(webhook)
    await press('Switch off')
    await owner`update ledger set available_at = null where reference = (select min(reference) from ledger where sender_id = (select service_id from webhook))`
    const [letter] = await owner<{ day: string }[]>`
      select (accepted_at at time zone 'Europe/London')::date::text as day from ledger where available_at is null`
    const [year, month, day] = letter!.day.split('-')
    const days = ['from', 'to'].map((end) => `${end}-day=${day}&${end}-month=${month}&${end}-year=${year}`).join('&')
    const reconciliation = '/department/reconciliation/council-tax'
    await visit('/department/reconciliation', reconciliation, `${reconciliation}?${days}`, `${reconciliation}?from-day=x`)
    const batch = '01a20931-4de4-74b1-9b9c-593ca10ca006'
    const [service] = await owner<{ id: string }[]>`select id from service where slug = 'council-tax'`
    await owner`
      insert into batch (sender_id, id, reference, name, lane, state, created_at, created_by_name, changed_at, changed_by_name)
      values (${service!.id}, ${batch}, 'bills', 'Council tax bills', 'bulk', 'paused', ${at}, 'Council tax billing', ${at}, 'Mel Placeholder')`
    await owner`
      insert into batch_error (sender_id, batch_id, line, reference, code, at)
      values (${service!.id}, ${batch}, 31, 'bill-31', 'recipient-not-found', ${at}), (${service!.id}, ${batch}, 40, null, 'not-json', ${at})`
    await visit('/department/batches', `/department/batches/${batch}`, `/department/batches/${batch}/recall`)
    await press('Ask to take the batch back')
    await sees(page, 'There is a problem')
    await owner`insert into log_state (origin, xid, cluster, alive_at) values ('post.example/log', 0, 'one', ${at})`
    await noteAlive(owner, { outageSeconds: 60 }, new Date())
    await visit('/status')
  }
})

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { AxeBuilder } from '@axe-core/playwright'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { northfoldContacts } from '../demo/contact-points.ts'
import { acceptOne } from '../src/delivery/accept.ts'
import { find } from '../src/mailbox/find.ts'
import { listInbox } from '../src/mailbox/list.ts'
import { register } from '../src/registry/register.ts'
import { launchBrowser } from './browser.ts'
import { type Pages, type Reader, startPages } from './pages.ts'

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

describe('in a browser', () => {
  const now = { at: new Date('2026-11-23T10:00:00Z') }
  let pages: Pages
  let browser: Browser
  let address: string
  let letterId: string
  let fileId: string
  let pointId: string
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
    const submission = { ...letter('whole'), content, documents: [{ role: 'main' as const, files }] }
    letterId = (await acceptOne(db, keys, council, submission, now.at)).messageId
    fileId = (await find(db, rosa, letterId)).documents[0]!.files[0]!.id
    await pages.post.owner`update party set birth_date = '1984-05-17' where id = ${rosa.partyId}`
    pointId = await addContactPoints(pages)
    address = await pages.app.listen({ host: '127.0.0.1', port: 0 })
    pages.app.ownOrigin = address
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

  const sees = async (page: Page, found: string[]) => {
    const { violations } = await new AxeBuilder({ page }).setLegacyMode().analyze()
    found.push(...violations.map(({ id, nodes }) => `${page.url()}: ${id} ${nodes.map(({ html }) => html).join(' ')}`))
    const isTooWide = await page.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth')
    if (isTooWide) found.push(`${page.url()}: wider than the screen`)
  }

  for (const width of [375, 1280]) {
    test(`axe finds nothing wrong on any page, ${width} wide, and nothing is cut off`, { timeout: 120_000 }, async () => {
      const found: string[] = []
      const options = { viewport: { width, height: 800 } }
      const visit = (reader: Reader, urls: string[]) =>
        inBrowser(reader, options, async (page) => {
          page.on('console', (message) => {
            if (/Content Security Policy/i.test(message.text())) found.push(`${page.url()}: ${message.text()}`)
          })
          for (const url of urls) {
            await page.goto(url)
            await sees(page, found)
          }
          if (reader === 'nobody') return
          await page.goto(urls.at(-1)!)
          await page.getByRole('button', { name: /^Send/ }).click()
          await page.getByText('There is a problem').waitFor()
          await sees(page, found)
          await page.locator('#text').fill('It says this')
          await page.getByLabel('Subject').fill('A subject')
          if (reader === 'staff') await page.getByLabel('number at your service').fill('CT-1')
          await page.getByRole('button', { name: /^Send/ }).click()
          await page.getByText('What happens next').waitFor()
          await sees(page, found)
          await page.getByRole('link', { name: 'See what you sent' }).click()
          await sees(page, found)
        })
      const letter = `/letters/${letterId}`
      await visit('nobody', ['/', '/nowhere', '/docs', '/signed-out', '/sign-in/callback', '/department/sign-in/callback'])
      await visit('arthur', ['/inbox', '/sent', '/write/northfold-council/council-tax'])
      await visit('rosa', [
        '/inbox',
        '/inbox?page=2',
        letter,
        `${letter}?language=cy`,
        `${letter}/documents/${fileId}`,
        `${letter}/answer`,
        '/write',
        '/write?q=parking+fine',
        '/write?q=xylophone',
        '/write/northfold-council',
        '/write/northfold-council/groups/roads',
        '/write/northfold-council/missed-bin',
        '/write/northfold-council/appeal-a-parking-fine',
        '/write/northfold-council/council-tax',
      ])
      await visit('rosa', ['/sent', '/looks', '/looks/others', '/write/northfold-council/council-tax'])
      const { letters } = await listInbox(pages.post.db, pages.post.council, 1)
      const message = `/department/messages/${letters[0]!.id}`
      const points = '/department/contact-points'
      const contacts = [points, `${points}/new`, `${points}/${pointId}`, `${points}/groups/new`]
      await visit('staff', ['/department', message, `${message}/answer`, ...contacts, '/department/write'])
      assert.deepEqual(found, [])
    })
  }

  for (const width of [375, 1280]) {
    test(`axe finds nothing wrong on the registrar’s pages, ${width} wide, and nothing is cut off`, {
      timeout: 120_000,
    }, async () => {
      const found: string[] = []
      await inBrowser('registrar', { viewport: { width, height: 800 } }, async (page) => {
        const look = () => sees(page, found)
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
  }

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

  test('everything works without JavaScript', { timeout: 60_000 }, async () => {
    await inBrowser('rosa', { javaScriptEnabled: false }, async (page) => {
      await page.goto('/inbox')
      await page.locator(`a[href="/letters/${letterId}"]`).click()
      await page.getByRole('link', { name: 'Cymraeg' }).click()
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

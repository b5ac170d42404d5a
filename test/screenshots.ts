import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { launchBrowser, unpackBrowser } from './browser.ts'
import { holdLetters } from './held-letters.ts'
import { startProgram } from './program.ts'

/**
 * Takes a picture of every page and state, with a demo world of its own: at two widths, in English and Welsh, light and dark.
 * `npm run screenshots` puts all into screenshots/; `npm run screenshots -- inbox 375 cy` only those that have these words: of several
 * names, views, languages or schemes, any. Views beside the two widths are taken where they are asked for.
 */
const folder = path.join(import.meta.dirname, '../screenshots')
const words = process.argv.slice(2)
/** What is asked for of one kind, or all of it where nothing is. */
const asked = (all: string[]) => {
  const some = all.filter((one) => words.includes(one))
  return some.length > 0 ? some : all
}

/** How a page is looked at: a window so wide, one of 1280 at 200 %, and one of 1280 whose words alone are twice as large. */
const views: Record<string, { width: number; height: number; deviceScaleFactor?: number; fontSize?: string }> = {
  '320': { width: 320, height: 740 },
  '375': { width: 375, height: 740 },
  '768': { width: 768, height: 1024 },
  '1280': { width: 1280, height: 860 },
  zoom: { width: 640, height: 430, deviceScaleFactor: 2 },
  text: { width: 1280, height: 860, fontSize: '200%' },
}
const always = ['375', '1280']

type Person = 'Rosa Example' | 'Arthur Sample' | 'Gwen Enghraifft' | 'Mel Placeholder' | 'Bo Dummyname'
type Shot = {
  name: string
  /** Who is signed in; nobody where it is left out. */
  as?: Person
  at: string
  /** What is done on the page before its picture is taken. */
  then?: (page: Page) => Promise<unknown>
  /** What fits on the screen, and not the whole page: for the README. */
  isScreen?: boolean
}

const press = (name: string | RegExp) => (page: Page) => page.getByRole('button', { name }).first().click()
/** The first button of the page's form, whatever it says in whichever language. */
const send = (page: Page) => page.locator('main form button').first().click()

/** With the script a letter comes in place of the list, without a new page: it is there when its address and heading are. */
async function firstLetter(page: Page): Promise<void> {
  await page.locator('#main-content .post-list__subject a').first().click()
  await isThere(page, '/letters/')
}

async function isThere(page: Page, address: string | RegExp): Promise<void> {
  await page.waitForURL((url) => (typeof address === 'string' ? url.pathname.startsWith(address) : address.test(url.pathname)))
  await page.waitForLoadState('load')
  await page.locator('[aria-busy]').waitFor({ state: 'detached' })
  await page.locator('#main-content h1').first().waitFor()
}

const follow = (link: string, address: string | RegExp) => async (page: Page) => {
  await page.locator(`#main-content ${link}`).first().click()
  await isThere(page, address)
}

const by =
  (as: Person) =>
  (name: string, at: string, then?: Shot['then']): Shot => ({ name, as, at, ...(then ? { then } : {}) })
const rosa = by('Rosa Example')
const mel = by('Mel Placeholder')
const bo = by('Bo Dummyname')

const parkingBay = follow('.post-list__subject a:text("We want to look at the bay")', '/letters/')
const taxBill = follow('.post-list__subject a:text("Your council tax bill")', '/letters/')

/** One step after another, from the list of batches on. */
const batch = (name: string, ...steps: ((page: Page) => Promise<unknown>)[]): Shot =>
  mel(name, '/department/batches', async (page) => {
    for (const step of steps) await step(page)
  })
const inBatch = follow('.post-choices a', '/department/batches/')
const toSample = follow('a[href$="/sample"]', /sample$/)
const toRecall = follow('a[href$="/recall"]', /recall$/)
const toRelease = follow('a[href$="/release"]', /release$/)
const closeBatch = async (page: Page) => {
  const close = page.locator('form:has([name=to][value=close]) button')
  if (await close.isVisible()) await close.click()
}
const release = async (page: Page) => {
  if (!(await page.locator('a[href$="/release"]').isVisible())) return
  await toRelease(page)
  await send(page)
}

const wrongRows = ['CT-1001,Rosa,', 'CT-1002,=A1,2', 'CT-1001,Rosa,3']
const goodRows = ['CT-1001,Rosa,120.50', 'CT-1002,Arthur,98', 'CT-9999,Una,12']

async function writeTemplate(page: Page): Promise<void> {
  await page.locator('[name=service][value=council-tax]').check()
  await page.locator('#name').fill('Council tax bill')
  await page.locator('#subject-en').fill('Council tax for ((first name))')
  const letter =
    '# What you pay\n\nDear ((first name)),\n\nyou pay **£((amount))** by 1 April.\n\n- by Direct Debit\n- at a post office'
  await page.locator('#text-en').fill(letter)
  await page.locator('button[value=preview]').first().click()
  await page.locator('.post-phone').waitFor()
}

const newMailing = 'a[href^="/department/mailings/new?"]'

async function saveTemplate(page: Page): Promise<void> {
  await writeTemplate(page)
  await send(page)
  await page.locator(newMailing).waitFor()
}

async function makeMailing(page: Page): Promise<void> {
  await saveTemplate(page)
  await page.locator(newMailing).click()
  await page.locator('#name').fill('Council tax bills 2027')
  await send(page)
  await page.locator('#file').waitFor()
}

async function addFile(page: Page, rows: readonly string[]): Promise<void> {
  await makeMailing(page)
  const buffer = Buffer.from(['identifier,first name,amount', ...rows].join('\n'))
  await page.locator('#file').setInputFiles({ name: 'bills.csv', mimeType: 'text/csv', buffer })
  await page.locator('form:has(#file) button').click()
  await page.locator('#progress').waitFor()
}

const sendForm = 'form[action$="/send"]'

async function checkMailing(page: Page): Promise<void> {
  await addFile(page, goodRows)
  await page.locator(sendForm).waitFor()
}

async function sendMailing(page: Page): Promise<void> {
  await checkMailing(page)
  await page.locator('[name=leaveOut]').check()
  await page.locator(`${sendForm} button`).click()
  await page.locator(sendForm).waitFor({ state: 'detached' })
  await page.locator('#progress:not([data-again])').waitFor()
}

/** Of Rosa, who is told of it. */
async function openRecord(page: Page): Promise<void> {
  const fields = { reason: 'A letter, reference 2026-114', name: 'Rosa Example', birthDate: '17' }
  for (const [id, value] of Object.entries({ ...fields, 'birthDate-month': '5', 'birthDate-year': '1984' }))
    await page.locator(`#${id}`).fill(value)
  await send(page)
  await page.waitForURL(/searches/)
  await send(page)
  await isThere(page, '/registrar/records/')
}

const shots: Shot[] = [
  { ...rosa('readme-inbox', '/inbox', parkingBay), isScreen: true },
  { ...rosa('readme-letter', '/inbox', taxBill), isScreen: true },
  { ...rosa('readme-to-do', '/to-do'), isScreen: true },
  { name: 'start', at: '/' },
  { name: 'status', at: '/status' },
  { name: 'verify', at: '/verify' },
  { name: 'not-found', at: '/nothing-here' },
  rosa('inbox', '/inbox'),
  rosa('letter', '/inbox', firstLetter),
  rosa('letter-actions', '/inbox', taxBill),
  rosa('to-do', '/to-do'),
  rosa('to-do-done', '/to-do?show=done'),
  rosa('action', '/to-do', follow('.post-to-do__label a', /^\/(letters|to-do)\/./)),
  rosa('calendar', '/to-do/calendar'),
  rosa('inbox-menu', '/inbox', (page) => page.locator('main .post-bar__summary').first().click()),
  rosa('inbox-done', '/inbox', async (page) => {
    await page.locator('input[name="letters"]').last().check()
    await page.locator('main button[value="archive"]').first().click()
    await page.locator('.post-done').waitFor()
  }),
  rosa('archive', '/folders/archive'),
  rosa('bin', '/folders/bin'),
  rosa('folders', '/folders'),
  rosa('folder-form', '/folders/new'),
  rosa('folder-errors', '/folders/new', press(/^(Make|Gwneud)/)),
  rosa('more', '/more'),
  rosa('shortcuts', '/shortcuts'),
  rosa('letter-print', '/inbox', async (page) => {
    await firstLetter(page)
    await page.goto(`${page.url().split('?')[0]}/print`)
  }),
  rosa('letter-proof', '/inbox', async (page) => {
    await firstLetter(page)
    await page.goto(`${page.url().split('?')[0]}/proof`)
  }),
  rosa('document', '/inbox', async (page) => {
    await taxBill(page)
    await page.locator('.post-documents__name a').first().click()
    await page.locator('[data-pdf-viewer][data-drawn]').waitFor()
  }),
  rosa('download-everything', '/my-details/download'),
  rosa('search', '/search'),
  rosa('search-found', '/search?q=coucnil'),
  rosa('search-nothing', '/search?q=xylophone&unread=yes'),
  rosa('search-errors', '/search?q=bill&document=yes&until=soon'),
  rosa('search-everywhere', '/write/northfold-council/council-tax', async (page) => {
    for (const button of ['send', 'save']) {
      await page.goto('/write/northfold-council/council-tax')
      await page.locator('#subject').fill('My new address for council tax')
      await page.locator('#text').fill('I have moved to 2 New Street.')
      await page.locator(`button[value=${button}]`).last().click()
      await page.waitForURL(button === 'send' ? /confirmation/ : /drafts/)
    }
    await page.goto('/search?q=council')
  }),
  rosa('search-where-error', '/search?q=council&where=sent&unread=yes'),
  rosa('search-nothing-sent', '/search?q=xylophone&where=sent'),
  rosa('sent', '/sent'),
  rosa('write', '/write'),
  rosa('write-search', '/write?q=parking+fine'),
  rosa('write-form', '/write/northfold-council/council-tax'),
  rosa('write-errors', '/write/northfold-council/council-tax', press(/^(Send|Anfon)/)),
  rosa('write-later', '/write/northfold-council/council-tax', (page) => page.locator('[name=when][value=later]').check()),
  rosa('draft-saved', '/write/northfold-council/council-tax', async (page) => {
    await page.locator('#text').fill('To 2 New Street.')
    await page.locator('button[value=save]').last().click()
    await page.locator('.govuk-notification-banner').waitFor()
  }),
  rosa('drafts', '/drafts'),
  rosa('forward', '/inbox', async (page) => {
    await firstLetter(page)
    await page.goto(`${page.url().replace(/\?.*/, '')}/forward?q=parking&other=`)
  }),
  rosa('mailboxes', '/mailboxes'),
  rosa('my-details', '/my-details'),
  rosa('my-details-contact', '/my-details/contact'),
  rosa('my-details-contact-error', '/my-details/contact/add/email', (page) => page.locator('main form button').click()),
  rosa('my-details-devices', '/my-details/devices'),
  rosa('my-details-language', '/my-details/language'),
  rosa('welcome', '/welcome'),
  { name: 'accessibility', at: '/accessibility' },
  { name: 'cookies', at: '/cookies' },
  { name: 'privacy', at: '/privacy' },
  { name: 'is-this-letter-real', at: '/is-this-letter-real' },
  { name: 'contact', at: '/contact' },
  rosa('looks', '/looks'),
  mel('department-inbox', '/department'),
  mel('department-webhooks', '/department/webhooks'),
  mel('department-write', '/department/write'),
  mel('department-batches', '/department/batches'),
  batch('department-batch-held', inBatch),
  batch('department-batch-sample', inBatch, toSample),
  batch('department-batch-letter', inBatch, toSample, follow('.post-choices a', '/department/messages/')),
  batch('department-batch-recall', inBatch, toRecall),
  batch('department-letter-recall', inBatch, toSample, follow('.post-choices a', '/department/messages/'), toRecall),
  // From here on it is closed.
  batch('department-batch-release', inBatch, closeBatch, toRelease),
  batch('department-batch-released', inBatch, release),
  mel('department-template-form', '/department/templates/new', writeTemplate),
  mel('department-template', '/department/templates/new', saveTemplate),
  mel('department-templates', '/department/templates'),
  mel('department-mailing-new', '/department/mailings/new'),
  mel('department-mailing-file', '/department/templates/new', makeMailing),
  mel('department-mailing-errors', '/department/templates/new', (page) => addFile(page, wrongRows)),
  mel('department-mailing-ready', '/department/templates/new', checkMailing),
  mel('department-mailing-sent', '/department/templates/new', sendMailing),
  mel('department-mailings', '/department/mailings'),
  bo('registrar', '/registrar'),
  bo('registrar-errors', '/registrar', send),
  bo('registrar-record', '/registrar', openRecord),
  bo('registrar-close', '/registrar', async (page) => {
    await openRecord(page)
    await follow('a[href$="/registration/close"]', /close$/)(page)
  }),
  bo('registrar-access', '/registrar', async (page) => {
    await openRecord(page)
    await follow('a[href$="/grants/new"]', /new$/)(page)
  }),
  bo('registrar-business', '/registrar/businesses/new'),
  bo('registrar-merges', '/registrar/merges'),
  bo('registrar-log', '/registrar/log'),
]

const signInPaths: Partial<Record<Person, string>> = { 'Mel Placeholder': '/department', 'Bo Dummyname': '/registrar' }

async function signIn(
  browser: Browser,
  baseUrl: string,
  person: Person,
): Promise<Awaited<ReturnType<BrowserContext['storageState']>>> {
  const context = await browser.newContext({ baseURL: baseUrl })
  const page = await context.newPage()
  const staffPath = signInPaths[person]
  await page.goto(staffPath ?? '/inbox')
  await page.getByRole('button', { name: `Sign in as ${person}` }).click()
  await page.waitForURL((url) => url.origin === new URL(baseUrl).origin && !url.pathname.includes('stand-in'))
  const state = await context.storageState()
  await context.close()
  return state
}

async function take(browser: Browser, baseUrl: string): Promise<void> {
  const states = new Map<Person, Awaited<ReturnType<BrowserContext['storageState']>>>()
  const names = asked(shots.map(({ name }) => name))
  for (const shot of shots.filter(({ name }) => names.includes(name))) {
    if (shot.as && !states.has(shot.as)) states.set(shot.as, await signIn(browser, baseUrl, shot.as))
    const state = shot.as && states.get(shot.as)
    for (const view of asked(Object.keys(views)).filter((one) => always.includes(one) || words.includes(one)))
      for (const language of asked(['en', 'cy']))
        for (const scheme of asked(['light', 'dark']) as ('light' | 'dark')[]) {
          const { width, height, deviceScaleFactor = 1, fontSize = '' } = views[view]!
          const context = await browser.newContext({
            baseURL: baseUrl,
            viewport: { width, height },
            deviceScaleFactor,
            colorScheme: scheme,
            ...(state ? { storageState: state } : {}),
          })
          await context.addCookies([{ name: 'language', value: language, url: baseUrl }])
          await takeOne(await context.newPage(), shot, [shot.name, view, language, scheme].join('-'), fontSize)
          await context.close()
        }
  }
}

async function takeOne(page: Page, shot: Shot, name: string, fontSize: string): Promise<void> {
  page.setDefaultTimeout(15_000)
  try {
    await page.goto(shot.at)
    await shot.then?.(page)
  } catch (error) {
    console.error(`${name}: ${(error as Error).message}`)
  }
  await page.waitForLoadState('load')
  await page.evaluate(`document.documentElement.style.fontSize = '${fontSize}'`)
  await page.waitForTimeout(150)
  const tooWide = await page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth')
  if (tooWide > 0) console.error(`${name}: ${tooWide} pixels too wide`)
  const { width } = page.viewportSize()!
  // The tab bar stands at the end of a screen, so that the whole page has to be on one.
  const height = await page.evaluate<number>('document.documentElement.scrollHeight')
  if (width < 640 && !shot.isScreen) await page.setViewportSize({ width, height })
  await page.mouse.move(0, 0)
  await page.screenshot({ path: path.join(folder, `${name}.png`), fullPage: !shot.isScreen })
}

mkdirSync(folder, { recursive: true })
const data = mkdtempSync(path.join(tmpdir(), 'dp-screenshots-'))
await unpackBrowser()
const program = await startProgram({ DATA_DIRECTORY: data })
const browser = await launchBrowser()
await holdLetters(program)
try {
  await take(browser, program.baseUrl)
} finally {
  await browser.close()
  await program.end('SIGTERM')
  rmSync(data, { recursive: true, force: true })
}

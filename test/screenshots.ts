import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { launchBrowser, unpackBrowser } from './browser.ts'
import { startProgram } from './program.ts'

/**
 * Takes a picture of every page and state, with a demo world of its own: at two widths, in English and Welsh, light and dark.
 * `npm run screenshots` puts all into screenshots/; `npm run screenshots -- inbox 375 cy` only those whose name has all these words.
 */
const folder = path.join(import.meta.dirname, '../screenshots')
const words = process.argv.slice(2)

type Person = 'Rosa Example' | 'Arthur Sample' | 'Gwen Enghraifft' | 'Mel Placeholder' | 'Bo Dummyname'
type Shot = {
  name: string
  /** Who is signed in; nobody where it is left out. */
  as?: Person
  at: string
  /** What is done on the page before its picture is taken. */
  then?: (page: Page) => Promise<unknown>
}

const press = (name: string | RegExp) => (page: Page) => page.getByRole('button', { name }).first().click()
const firstLetter = (page: Page) => page.locator('.post-list__subject a').first().click()

const rosa = (name: string, at: string, then?: Shot['then']): Shot => ({
  name,
  as: 'Rosa Example',
  at,
  ...(then ? { then } : {}),
})

const shots: Shot[] = [
  { name: 'start', at: '/' },
  { name: 'status', at: '/status' },
  { name: 'verify', at: '/verify' },
  { name: 'not-found', at: '/nothing-here' },
  rosa('inbox', '/inbox'),
  rosa('letter', '/inbox', firstLetter),
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
    await page.getByRole('link', { name: 'Your council tax bill for 2026 to 2027' }).click()
    await page.locator('.post-documents__name a').first().click()
    await page.locator('[data-pdf-viewer][data-drawn]').waitFor()
  }),
  rosa('download-everything', '/my-details/download'),
  rosa('search', '/search'),
  rosa('search-found', '/search?q=coucnil'),
  rosa('search-nothing', '/search?q=xylophone&unread=yes'),
  rosa('search-errors', '/search?q=bill&document=yes&until=soon'),
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
  { name: 'department-inbox', as: 'Mel Placeholder', at: '/department' },
  { name: 'department-write', as: 'Mel Placeholder', at: '/department/write' },
  { name: 'registrar', as: 'Bo Dummyname', at: '/registrar' },
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
  for (const shot of shots) {
    const isForStaff = shot.as !== undefined && signInPaths[shot.as] !== undefined
    for (const width of [375, 1280]) {
      for (const language of isForStaff ? ['en'] : ['en', 'cy']) {
        for (const colorScheme of ['light', 'dark'] as const) {
          const name = [shot.name, width, language, colorScheme].join('-')
          if (!words.every((word) => [shot.name, String(width), language, colorScheme].includes(word))) continue
          if (shot.as && !states.has(shot.as)) states.set(shot.as, await signIn(browser, baseUrl, shot.as))
          const context = await browser.newContext({
            baseURL: baseUrl,
            viewport: { width, height: width === 375 ? 740 : 860 },
            deviceScaleFactor: width === 375 ? 2 : 1,
            colorScheme,
            ...(shot.as ? { storageState: states.get(shot.as)! } : {}),
          })
          await context.addCookies([{ name: 'language', value: language, url: baseUrl }])
          const page = await context.newPage()
          await page.goto(shot.at)
          if (shot.then) await shot.then(page)
          await page.waitForLoadState('load')
          await page.waitForTimeout(150)
          await page.screenshot({ path: path.join(folder, `${name}.png`), fullPage: true })
          await context.close()
        }
      }
    }
  }
}

mkdirSync(folder, { recursive: true })
const data = mkdtempSync(path.join(tmpdir(), 'dp-screenshots-'))
await unpackBrowser()
const program = await startProgram({ DATA_DIRECTORY: data })
const browser = await launchBrowser()
try {
  await take(browser, program.baseUrl)
} finally {
  await browser.close()
  await program.end('SIGTERM')
  rmSync(data, { recursive: true, force: true })
}

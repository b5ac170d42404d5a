import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core'

/** What people do at their browsers, by what they see there. */

/**
 * Clicks, and waits for the page that this leads to, until all of it is there: one that the browser loads, or one that a script fetches, which
 * stands in the place of the old one only then.
 */
export async function click(target: Locator): Promise<void> {
  await target.click()
  await target.page().waitForLoadState('domcontentloaded')
  await target.page().locator('[aria-busy]').waitFor({ state: 'detached' })
}

export const press = (page: Page, name: string) => click(page.getByRole('button', { name, exact: true }).first())
export const follow = (page: Page, name: string) => click(page.getByRole('link', { name, exact: true }).first())
export const sees = (page: Page, words: string | RegExp) => page.getByText(words).first().waitFor()
export const headingOf = async (page: Page) => (await page.locator('h1').textContent())?.trim()

/** By the navigation: on a narrow screen what the tabs have no room for is behind one of them, and staff have a button. */
export async function goTo(page: Page, section: string): Promise<void> {
  const menu = page.getByRole('button', { name: 'Menu', exact: true })
  const link = page.getByRole('link', { name: section, exact: true }).first()
  if (await menu.isVisible()) await menu.click()
  else if (!(await link.isVisible())) await follow(page, 'More')
  await click(link)
}

/** A browser of somebody's own, who is not signed in. */
export async function openBrowser(browser: Browser, baseURL: string, options: BrowserContextOptions = {}): Promise<Page> {
  return (await browser.newContext({ ...options, baseURL })).newPage()
}

/** By the start page and the stand-in for One Login, with proof of identity where that is asked for. */
export async function signIn(page: Page, name: string): Promise<void> {
  await page.goto('/')
  await press(page, 'Sign in')
  await press(page, `Sign in as ${name}`)
  if ((await headingOf(page)) === 'Prove your identity') {
    await press(page, 'Continue')
    await page.waitForURL('**/welcome?**')
    await press(page, 'Go to your post')
  }
  await page.waitForURL('**/inbox')
}

export async function signInToWork(page: Page, name: string, address: '/department' | '/registrar'): Promise<void> {
  await page.goto(address)
  await press(page, `Sign in as ${name}`)
  await page.waitForURL(`**${address}`)
}

/** From inside the mailbox to the demo service's own site, and back to the question whether to link it. */
export async function askToLink(page: Page, service: string, fieldName: string, number: string): Promise<void> {
  await goTo(page, 'My details')
  await follow(page, 'Linked services')
  await follow(page, service)
  await click(page.getByRole('button', { name: 'Continue to' }))
  await page.getByLabel(fieldName).fill(number)
  await press(page, 'Sign in')
  await press(page, 'Continue to Digital Post')
}

export type Invited = {
  name: string
  sender?: string
  untilYear?: number
  isAdviser?: boolean
  isEmployee?: boolean
  mayWrite?: boolean
}

/** Fills in the form that lets somebody in, and answers the code for them. */
export async function invite(page: Page, { name, sender, untilYear, isAdviser, isEmployee, mayWrite }: Invited): Promise<string> {
  await page.getByLabel('Who is it for?').fill(name)
  if (isAdviser) await page.getByLabel('An adviser from outside').check()
  if (isEmployee) await page.getByLabel('Somebody who works here').check()
  await page.getByLabel(mayWrite ? 'Read and write' : 'Read only').check()
  // Where nobody has written yet, there is nothing to choose from.
  const extent = page.getByLabel(sender ? 'Only some senders' : 'Everybody')
  if (sender || (await extent.count()) > 0) await extent.check()
  if (sender) await page.getByLabel(sender).check()
  if (untilYear) await fillDate(page, 'Until, this day included', ['3', '3', String(untilYear)])
  await press(page, 'Make the invitation')
  return (await page.locator('.post-code').textContent())!.trim()
}

export async function fillDate(page: Page, legend: string, [day, month, year]: [string, string, string]): Promise<void> {
  const date = page.getByRole('group', { name: legend })
  await date.getByLabel('Day').fill(day)
  await date.getByLabel('Month').fill(month)
  await date.getByLabel('Year').fill(year)
}

/** As far as what the invitation offers. */
export async function enterCode(page: Page, code: string): Promise<void> {
  await goTo(page, 'My details')
  await follow(page, 'Whose post you help with')
  await page.getByLabel('Have you been given a code?').fill(code)
  await press(page, 'Continue')
}

export async function openMailboxOf(page: Page, owner: string, firm?: string): Promise<void> {
  await goTo(page, 'Mailboxes')
  await press(page, `Open the mailbox of ${owner}${firm ? ` through ${firm}` : ''}`)
  await page.waitForURL('**/inbox')
}

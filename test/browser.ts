import sparticuz from '@sparticuz/chromium'
import { type Browser, chromium } from 'playwright-core'

/** The browser that comes with the tests. It may look at this machine only. */
export async function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: await sparticuz.executablePath(),
    args: [
      ...sparticuz.args,
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
    ],
    headless: true,
  })
}

import sparticuz from '@sparticuz/chromium'
import { type Browser, chromium } from 'playwright-core'

/** In one process, closing a context would end the browser; without web security, our policy would not be tried. */
const notWanted = ['--single-process', '--no-zygote', '--disable-web-security']
const quiet = ['--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run']

/** The browser that comes with the tests. It may look at this machine only. */
export async function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: await sparticuz.executablePath(),
    args: [...sparticuz.args.filter((argument) => !notWanted.includes(argument)), ...quiet],
    headless: true,
  })
}

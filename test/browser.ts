import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import sparticuz from '@sparticuz/chromium'
import { type Browser, chromium } from 'playwright-core'
import { patienceMs } from './until.ts'

const modules = path.join(import.meta.dirname, '../node_modules')
const { version } = JSON.parse(readFileSync(path.join(modules, '@sparticuz/chromium/package.json'), 'utf8')) as {
  version: string
}
const folder = path.join(modules, `.chromium-${version}`)

/**
 * Unpacks the browser that comes with the tests, once for a checkout. Not into the folder for temporary files, where the
 * package would put it: one that another user unpacked there could not be started, nor one that is only half there yet.
 */
export async function unpackBrowser(): Promise<void> {
  if (existsSync(folder)) return
  const unfinished = `${folder}.${process.pid}`
  mkdirSync(unfinished, { recursive: true })
  const { TMPDIR } = process.env
  process.env.TMPDIR = unfinished
  try {
    await sparticuz.executablePath()
  } finally {
    if (TMPDIR === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = TMPDIR
  }
  const fonts = `<fontconfig><dir>${path.join(folder, 'fonts')}</dir><cachedir>${path.join(folder, 'fonts-cache')}</cachedir></fontconfig>`
  writeFileSync(path.join(unfinished, 'fonts', 'fonts.conf'), `<?xml version="1.0"?>\n${fonts}\n`)
  if (existsSync(folder)) rmSync(unfinished, { recursive: true })
  else renameSync(unfinished, folder)
}

/** In one process, closing a context would end the browser; without web security, our policy would not be tried. */
const notWanted = ['--single-process', '--no-zygote', '--disable-web-security']
const quiet = ['--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run']

/** It may look at this machine only. */
export async function launchBrowser(): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: path.join(folder, 'chromium'),
    env: { ...process.env, FONTCONFIG_PATH: path.join(folder, 'fonts') },
    args: [...sparticuz.args.filter((argument) => !notWanted.includes(argument)), ...quiet],
    headless: true,
  })
  browser.on('context', (context) => context.setDefaultTimeout(patienceMs))
  return browser
}

import { unpackBrowser } from './browser.ts'
import { startDatabase, stopDatabase } from './database.ts'

/** Once for a run, before any test file. */
export async function globalSetup(): Promise<void> {
  await Promise.all([startDatabase(), unpackBrowser()])
}

export async function globalTeardown(): Promise<void> {
  await stopDatabase()
}

import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'

/** How long a test waits for what is to come. It matters only where that never comes: so it is long enough for a slow machine. */
export const patienceMs = 60_000

/** Waits until it is so, whatever the machine takes for it; fails where it never is. */
export async function until(isSo: () => boolean | Promise<boolean>, what = 'what was waited for'): Promise<void> {
  const end = performance.now() + patienceMs
  while (!(await isSo())) {
    assert.ok(performance.now() < end, `never came: ${what}`)
    await sleep(20)
  }
}

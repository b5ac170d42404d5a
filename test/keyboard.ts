import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'

/** What has the focus: what it says, what it is, and where on the page, in CSS pixels. */
export type Stop = { name: string; tag: string; left: number; top: number; right: number; bottom: number }

/** The longest way through a page. */
const stopsMax = 150

/**
 * Presses Tab once (or Shift and Tab) and answers what has the focus now, or undefined where that has left the page. Fails where one could not
 * see where one is: the focus looks like nothing, or is under something else, or outside the window.
 */
export async function tab(page: Page, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<Stop | undefined> {
  await page.evaluate(remember)
  await page.keyboard.press(key)
  const { stop, problem } = await page.evaluate<{ stop?: Stop; problem?: string }>(focus)
  assert.equal(problem, undefined, `${new URL(page.url()).pathname}: ${stop?.tag} “${stop?.name}” ${problem}`)
  return stop
}

/** Presses Tab until what is so named has the focus, as somebody does who looks for it. Answers all stops on the way there. */
export async function tabTo(page: Page, name: string | RegExp, key?: 'Tab' | 'Shift+Tab'): Promise<Stop[]> {
  const stops: Stop[] = []
  while (stops.length < stopsMax) {
    const stop = await tab(page, key)
    if (!stop) continue
    stops.push(stop)
    if (typeof name === 'string' ? stop.name === name : name.test(stop.name)) return stops
  }
  assert.fail(`“${name}” never had the focus, but ${stops.map((stop) => stop.name).join(', ')}`)
}

/** The way from the beginning of a page to its end: along each line, down, and over to the next column. Fails where it leads back. */
export async function tabThrough(page: Page): Promise<Stop[]> {
  const stops: Stop[] = []
  for (let stop = await tab(page); stop; stop = await tab(page)) {
    const last = stops.at(-1)
    if (last) assert.ok(isOnward(last, stop), `${new URL(page.url()).pathname}: from “${last.name}” back to “${stop.name}”`)
    stops.push(stop)
    assert.ok(stops.length < stopsMax, 'the keyboard is caught in the page')
  }
  return stops
}

/** What stands on one line may differ by its padding. */
const lineMax = 12

function isOnward(from: Stop, to: Stop): boolean {
  if (Math.abs(to.top - from.top) <= lineMax) return to.left >= from.left
  return to.top > from.top || to.left >= from.right - 1
}

/** What everything that can have the focus looks like without it; a radio's is drawn by its label. */
const remember = `(() => {
  window.looksBefore ??= new WeakMap()
  window.looksOf = (each) => {
    const parts = [each, ...each.children, ...(each.nextElementSibling?.matches('label') ? [each.nextElementSibling] : [])]
    return JSON.stringify(parts.flatMap((part) => [null, '::before', '::after'].map((pseudo) => {
      const { outline, boxShadow, backgroundColor, border, color, clip } = getComputedStyle(part, pseudo)
      return [outline, boxShadow, backgroundColor, border, color, clip]
    })))
  }
  for (const each of document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex]'))
    if (each !== document.activeElement && !looksBefore.has(each)) looksBefore.set(each, looksOf(each))
})()`

const focus = `(() => {
  const on = document.activeElement
  if (!on || on === document.body) return {}
  const words = on.getAttribute('aria-label') ?? [...(on.labels ?? [])].map((label) => label.textContent).join(' ')
  const name = (words || on.textContent || on.value || on.id).replace(/\\s+/g, ' ').trim()
  // A link that goes over two lines is where its first is.
  const { left, top, right, bottom } = [...on.getClientRects()].find(({ width }) => width > 0) ?? on.getBoundingClientRect()
  let scrolled = 0
  for (let above = on.parentElement; above; above = above.parentElement) scrolled += above.scrollTop
  const stop = { name, tag: on.tagName.toLowerCase(), left, top: top + scrolled, right, bottom: bottom + scrolled }
  const problem = (() => {
    if (looksBefore.get(on) === looksOf(on)) return 'looks the same with the focus and without'
    const [x0, x1] = [Math.max(left, 0), Math.min(right, innerWidth)]
    const [y0, y1] = [Math.max(top, 0), Math.min(bottom, innerHeight)]
    if (x1 - x0 < 2 || y1 - y0 < 2) return 'is outside the window'
    const isOwn = (at) => on.contains(at) || at.contains(on) || [...(on.labels ?? [])].some((label) => label.contains(at))
    const points = [0.1, 0.3, 0.5, 0.7, 0.9].map((part) => document.elementFromPoint((x0 + x1) / 2, y0 + (y1 - y0) * part)).filter(Boolean)
    if (points.length && !points.some(isOwn)) return 'is under ' + points[0].cloneNode().outerHTML
  })()
  return { stop, problem }
})()`

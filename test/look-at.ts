import assert from 'node:assert/strict'
import { AxeBuilder } from '@axe-core/playwright'
import type { Page } from 'playwright-core'

/**
 * In CSS pixels. 640 by 360 is what a window of 1280 by 720 shows at 200 %. Light and dark in turn, as each takes time: all that a phone or a
 * tablet shows, it shows in the same colours as the others do.
 */
const windows = [
  { width: 320, height: 640, colorScheme: 'light' },
  { width: 375, height: 740, colorScheme: 'dark' },
  { width: 640, height: 360, colorScheme: 'light' },
  { width: 768, height: 1024, colorScheme: 'dark' },
  { width: 1280, height: 720, colorScheme: 'light' },
] as const

/** What depends on colours and on where things are, and so may differ from window to window. */
const rulesOfLooks = {
  runOnly: ['color-contrast', 'link-in-text-block', 'scrollable-region-focusable', 'target-size'],
  resultTypes: ['violations' as const],
}
/** Axe leaves out the size of targets, which WCAG asks for since 2.2, unless it is told. */
const allRules = { rules: { 'target-size': { enabled: true } }, resultTypes: ['violations' as const] }

/**
 * What is wrong with how the page looks, in sentences; none where nothing is. What axe finds by all its rules in the page's own window
 * and in the widest, and by those of looks in each window; words that are cut off or lie over each other in each, and where words
 * alone are twice as large; what moves though the reader wants nothing to. The page is the same afterwards, in its own window.
 */
export async function lookAt(page: Page): Promise<string[]> {
  await isWhole(page)
  // Until it has drawn, or could not, other things stand in its place.
  await page.locator('[data-pdf-viewer]:not([data-drawn], .post-viewer--failed)').waitFor({ state: 'detached' })
  const own = page.viewportSize()!
  const found = new Set<string>()
  const note = (where: string, sentences: string[]) => {
    for (const sentence of sentences) found.add(`${page.url()}, ${where}: ${sentence}`)
  }
  note(`${own.width} wide`, await askAxe(page))
  for (const { width, height, colorScheme } of windows) {
    await page.setViewportSize({ width, height })
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    await drawAnew(page)
    note(`${width} wide`, await page.evaluate<string[]>(ofWords))
    note(`${width} wide, ${colorScheme}`, await page.evaluate<string[]>(ofAxe(rulesOfLooks)))
  }
  await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' })
  await drawAnew(page)
  note('1280 wide, dark', await page.evaluate<string[]>(ofAxe(allRules)))
  note('with less motion', await page.evaluate<string[]>(ofMotion))
  await page.evaluate("document.documentElement.style.fontSize = '200%'")
  note('1280 wide, words twice as large', await page.evaluate<string[]>(ofWords))
  await page.evaluate("document.documentElement.style.fontSize = ''")
  await page.setViewportSize(own)
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'no-preference' })
  return [...found]
}

/** What axe finds by all its rules in the page's own window. */
export async function askAxe(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).setLegacyMode().options(allRules).analyze()
  return violations.map(({ id, nodes }) => `${id} ${nodes.map(({ html, any }) => `${html} (${any[0]?.message})`).join(' ')}`)
}

export async function assertLooksRight(page: Page): Promise<void> {
  assert.deepEqual(await lookAt(page), [])
}

/** The same without axe, which is a script: where a page has none. */
export async function lookAtWords(page: Page): Promise<string[]> {
  await isWhole(page)
  const own = page.viewportSize()!
  const found: string[] = []
  for (const { width, height } of windows) {
    await page.setViewportSize({ width, height })
    for (const sentence of await page.evaluate<string[]>(ofWords)) found.push(`${page.url()}, ${width} wide: ${sentence}`)
  }
  await page.setViewportSize(own)
  return found
}

/** A click may have begun to replace the page: what is there is looked at when it is whole. */
async function isWhole(page: Page): Promise<void> {
  await page.waitForLoadState('domcontentloaded')
  await page.locator('h1').first().waitFor({ state: 'attached' })
}

/** Chromium now and then leaves an element in the colours of before when others are emulated: so all is drawn anew. */
async function drawAnew(page: Page): Promise<void> {
  await page.evaluate(`(() => {
    const { style } = document.documentElement
    style.display = 'none'
    document.documentElement.getBoundingClientRect()
    style.display = ''
  })()`)
}

/** Once axe is in the page. */
const ofAxe = (options: object) => `axe.run(document, ${JSON.stringify(options)})
  .then(({ violations }) => violations.map(({ id, nodes }) => id + ' ' + nodes.map(({ html, any }) => html + ' (' + any[0]?.message + ')').join(' ')))`

const ofMotion = `[...document.querySelectorAll('*')]
  .filter((each) => [null, '::before', '::after'].some((part) => {
    const { animationDuration, transitionDuration } = getComputedStyle(each, part)
    return [animationDuration, transitionDuration].join().split(',').some((time) => parseFloat(time) > 0.001)
  }))
  .map((each) => 'moves: ' + each.cloneNode().outerHTML)`

/** Text that sticks out of its box, that a box above it cuts off, or that other text or a field lies over. */
const ofWords = `(() => {
  const found = []
  const { scrollWidth, clientWidth } = document.documentElement
  if (scrollWidth > clientWidth) found.push('wider than the screen')
  // What stands over the page on purpose, the words under the picture of a PDF, and what is shown in part on purpose.
  const over = '.post-tabbar, .post-bar__menu, .post-viewer__page, .post-list__beginning, .govuk-skip-link, dialog, option'
  const isSeen = (each) => each.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && !each.closest(over)
  const styleOf = (each) => getComputedStyle(each)
  const scrolls = (each) => /auto|scroll/.test(styleOf(each).overflow)
  const sticksOut = (text, box) => text.left < box.left - 1 || text.right > box.right + 1
  const lines = []
  const range = document.createRange()
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const words = node.data.trim()
    if (words === '' || !isSeen(node.parentElement)) continue
    let box = node.parentElement
    while (['inline', 'contents'].includes(styleOf(box).display)) box = box.parentElement
    const place = box.getBoundingClientRect()
    // Only for those who hear the page.
    if (place.width <= 1 || place.height <= 1) continue
    range.selectNodeContents(node)
    let rects = [...range.getClientRects()].filter(({ width }) => width > 0)
    if (!scrolls(box) && rects.some((rect) => sticksOut(rect, place))) found.push('sticks out: ' + words)
    for (let above = box; above !== document.body; above = above.parentElement) {
      const frame = above.getBoundingClientRect()
      if (scrolls(above)) rects = rects.filter(({ top, bottom }) => top >= frame.top && bottom <= frame.bottom)
      else if (/hidden|clip/.test(styleOf(above).overflow) && rects.some((rect) => sticksOut(rect, frame) || rect.bottom > frame.bottom + 1))
        found.push('cut off: ' + words)
    }
    for (const rect of rects) lines.push({ element: node.parentElement, words, rect })
  }
  for (const field of document.querySelectorAll('input, select, textarea, .govuk-button')) {
    const rect = field.getBoundingClientRect()
    let above = field.parentElement
    while (above && !scrolls(above)) above = above.parentElement
    const isScrolledAway = above && rect.bottom > above.getBoundingClientRect().bottom
    if (isSeen(field) && !isScrolledAway) lines.push({ element: field, words: field.name ?? field.textContent, rect })
  }
  lines.sort((one, other) => one.rect.top - other.rect.top)
  for (const [index, one] of lines.entries())
    for (let next = index + 1; next < lines.length && lines[next].rect.top < one.rect.bottom; next += 1) {
      const other = lines[next]
      if (one.element.contains(other.element) || other.element.contains(one.element)) continue
      const width = Math.min(one.rect.right, other.rect.right) - Math.max(one.rect.left, other.rect.left)
      const height = Math.min(one.rect.bottom, other.rect.bottom) - Math.max(one.rect.top, other.rect.top)
      // Lines that are set close touch each other without being harder to read.
      if (width > 2 && height > 0.4 * Math.min(one.rect.height, other.rect.height)) found.push('lies over each other: ' + one.words + ' / ' + other.words)
    }
  return found
})()`

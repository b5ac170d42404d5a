/** A piece of a page that somebody reads or hears, with where it stands. */
export type PageWords = { words: string; where: string }

const voids = /^(area|base|br|col|hr|img|input|link|meta|source|wbr)$/
/** What a screen reader says, or the browser shows. */
const spoken = /\b(?:aria-label|title|alt|placeholder)="([^"]*)"/g

/** All words of our own HTML that are in this language: not those in an element that says it is in another, nor what `isSkipped`. */
export function wordsOf(html: string, language: string, isSkipped: (attributes: string) => boolean): PageWords[] {
  const found: PageWords[] = []
  const open: { name: string; isRead: boolean }[] = []
  const isRead = () => open.at(-1)?.isRead ?? true
  for (const [, comment, closes, name, attributes, text] of html.matchAll(
    /(<!--[\s\S]*?-->|<![^>]*>)|<(\/?)([a-z][\w-]*)((?:"[^"]*"|[^">])*)>|([^<]+)/gi,
  )) {
    if (comment !== undefined) continue
    if (text !== undefined) {
      const words = plain(text)
      if (isRead() && words !== '') found.push({ words, where: open.map((each) => each.name).join(' ') })
    } else if (closes) {
      while (open.length > 0 && open.pop()!.name !== name);
    } else {
      const own = /\blang="([^"]*)"/.exec(attributes!)?.[1]
      const hasWords = !/^(script|style)$/.test(name!) && !isSkipped(attributes!)
      const reads = hasWords && (own === undefined ? isRead() : own === language)
      for (const [, words] of attributes!.matchAll(spoken))
        if (reads) found.push({ words: plain(words!), where: `${name} attribute` })
      if (!voids.test(name!)) open.push({ name: name!, isRead: reads })
    }
  }
  return found
}

const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'", nbsp: ' ', ensp: ' ', ctdot: '⋯' }

function plain(text: string): string {
  return text
    .replace(/&(#?\w+);/g, (whole, name) => entities[name] ?? whole)
    .replace(/\s+/g, ' ')
    .trim()
}

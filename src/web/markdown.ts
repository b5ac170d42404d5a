import createMarkdown, { type MarkdownIt, type Token } from 'markdown-it'

/**
 * The text of a letter as HTML. What comes in is not trusted: HTML in it is shown as text, pictures are not loaded, links go
 * to https, mailto and tel only, and say where they go. Headings begin at `firstHeading` and never skip a level, so that
 * the page around them keeps its order.
 */
export function renderMarkdown(
  body: string,
  options: { firstHeading: number; keepLineBreaks: boolean; language?: string },
): string {
  const { keepLineBreaks, firstHeading, language } = options
  return (keepLineBreaks ? typed : written).render(body, { firstHeading, tableName: tableNames[language ?? 'en'] ?? 'Table' })
}

/** What a table is called to who cannot see it, in the language of the letter. */
const tableNames: Record<string, string> = { en: 'Table', cy: 'Tabl' }

/** For systems and staff, who write Markdown. */
const written = createRenderer(false)
/** For people, who press Enter where a line ends. */
const typed = createRenderer(true)

function createRenderer(breaks: boolean): MarkdownIt {
  const markdown = createMarkdown({ html: false, linkify: false, typographer: false, breaks }).disable(['image'])
  // Each level of nesting costs stack; no letter needs more.
  markdown.set({ maxNesting: 20 })
  markdown.validateLink = (address) => linkTarget(address) !== undefined
  markdown.core.ruler.push('post', (state) => {
    fitHeadings(state.tokens, Number(state.env.firstHeading))
    for (const token of state.tokens) {
      decorate(token)
      if (token.children) {
        token.children.forEach(decorate)
        nameTargets(token.children)
      }
    }
  })
  // The region has to be reached by keyboard, as a wide table scrolls in it. Several are told apart by their numbers.
  markdown.renderer.rules.table_open = (tokens, index, options, env, self) => {
    const before = tokens.slice(0, index).filter(({ type }) => type === 'table_open').length
    const isOnly = tokens.filter(({ type }) => type === 'table_open').length === 1
    const name = isOnly ? env?.tableName : `${env?.tableName} ${before + 1}`
    return `<div class="post-wide" role="region" aria-label="${name}" tabindex="0">${self.renderToken(tokens, index, options)}`
  }
  markdown.renderer.rules.table_close = () => '</table></div>\n'
  markdown.renderer.rules.link_close = (tokens, index) => {
    const target = tokens[index]!.meta?.target as string | undefined
    return target === undefined ? '</a>' : `</a> (${markdown.utils.escapeHtml(target)})`
  }
  return markdown
}

/** The host or the address that a link goes to; undefined where it may not be a link. */
function linkTarget(address: string): string | undefined {
  const url = URL.parse(address)
  if (url === null || url.username || url.password) return undefined
  if (url.protocol === 'https:') return url.host
  return url.protocol === 'mailto:' || url.protocol === 'tel:' ? url.pathname : undefined
}

const classes: Record<string, string> = {
  p: 'govuk-body',
  ul: 'govuk-list govuk-list--bullet',
  ol: 'govuk-list govuk-list--number',
  h2: 'govuk-heading-m',
  h3: 'govuk-heading-s',
  h4: 'govuk-heading-s',
  h5: 'govuk-heading-s',
  h6: 'govuk-heading-s',
  blockquote: 'govuk-inset-text',
  hr: 'govuk-section-break govuk-section-break--l govuk-section-break--visible',
  table: 'govuk-table',
  thead: 'govuk-table__head',
  tbody: 'govuk-table__body',
  tr: 'govuk-table__row',
  th: 'govuk-table__header',
  td: 'govuk-table__cell',
  a: 'govuk-link',
}

function decorate(token: Token): void {
  if (token.nesting < 0 || token.hidden) return
  // Else the writer would choose a class of ours.
  if (token.type === 'fence') token.info = ''
  const name = classes[token.tag]
  if (name !== undefined) token.attrSet('class', name)
  if (token.tag === 'th') token.attrSet('scope', 'col')
  if (token.tag === 'a') token.attrSet('rel', 'noopener noreferrer')
  // Alignment comes as a style, which our policy forbids.
  const style = token.attrGet('style')?.toString()
  if (style === undefined) return
  token.attrs = token.attrs!.filter(([attribute]) => attribute !== 'style')
  if (style.includes('right')) token.attrJoin('class', `${name}--numeric`)
}

function fitHeadings(tokens: Token[], first: number): void {
  let previous = first - 1
  for (const token of tokens) {
    if (token.type !== 'heading_open' && token.type !== 'heading_close') continue
    if (token.type === 'heading_open') previous = Math.min(Number(token.tag.slice(1)) + first - 1, previous + 1, 6)
    token.tag = `h${previous}`
  }
}

/** A link whose words hide where it goes says it after them. */
function nameTargets(tokens: Token[]): void {
  let href = ''
  let words = ''
  for (const token of tokens) {
    if (token.type === 'link_open') {
      href = String(token.attrGet('href') ?? '')
      words = ''
    } else if (token.type === 'link_close') {
      const target = linkTarget(href)
      if (target !== undefined && !isNamed(words, href, target)) token.meta = { target }
    } else words += token.content
  }
}

function isNamed(words: string, href: string, target: string): boolean {
  if (href.startsWith('tel:')) return lastDigits(words) === lastDigits(target)
  return words === target || words === href || words === `https://${target}` || words === `https://${target}/`
}

/** A telephone number without its country code or its first nought. */
function lastDigits(words: string): string {
  return words.replaceAll(/\D/g, '').slice(-9)
}

import { Type } from 'typebox'

export const PageQuery = Type.Object({ page: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })) })

type Item = { number: number; href: string; isCurrent: boolean } | { isGap: true }
export type Pagination = { items: Item[]; previous: string | undefined; next: string | undefined }

/** Links to the other pages of a list: the first, the last and those beside this one. Undefined for a single page. */
export function pagination(path: string, page: number, pages: number): Pagination | undefined {
  if (pages <= 1) return undefined
  const href = (number: number) => `${path}${path.includes('?') ? '&' : '?'}page=${number}`
  const items: Item[] = []
  for (const number of new Set([1, page - 1, page, page + 1, pages])) {
    if (number < 1 || number > pages) continue
    const last = items.at(-1)
    if (last && 'number' in last && number > last.number + 1) items.push({ isGap: true })
    items.push({ number, href: href(number), isCurrent: number === page })
  }
  return { items, previous: page > 1 ? href(page - 1) : undefined, next: page < pages ? href(page + 1) : undefined }
}

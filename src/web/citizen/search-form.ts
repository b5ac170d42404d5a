import { asksForReceived, type Place, places, queryLengthMax, type SearchFilters } from '../../mailbox/search-query.ts'
import { endOfDay, startOfDay } from '../dates.ts'
import type { FieldError } from '../page.ts'
import type { Translate } from '../words.ts'

/** As it stands in the address. */
export const searchFields = [
  'q',
  'sender',
  'from',
  'until',
  'document',
  'unread',
  'flagged',
  'todo',
  'folder',
  'where',
  'mailbox',
] as const
export type SearchField = (typeof searchFields)[number]
export type Asked = Partial<Record<SearchField, string>>

/** In these one may search by name; where nothing is said, in all but the bin. */
export const searchFolders = ['inbox', 'archive', 'bin'] as const

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const dayLengthMax = 40

/** What somebody asks for, as they typed it; what is not a field of the form, or cannot be one's value, is left out. */
export function readAsked(given: Record<string, unknown>): Asked {
  const asked: Asked = {}
  for (const field of searchFields) {
    const value = given[field]
    if (typeof value !== 'string' || value.trim() === '' || !mayBe[field](value)) continue
    asked[field] = value.replaceAll('\0', '').trim()
  }
  return asked
}

const isOn = (value: string) => value === 'yes'
const mayBe: Record<SearchField, (value: string) => boolean> = {
  q: () => true,
  sender: (value) => uuid.test(value),
  from: (value) => value.length <= dayLengthMax,
  until: (value) => value.length <= dayLengthMax,
  document: isOn,
  unread: isOn,
  flagged: isOn,
  todo: isOn,
  folder: (value) => uuid.test(value) || (searchFolders as readonly string[]).includes(value),
  where: (value) => (places as readonly string[]).includes(value),
  mailbox: (value) => value === 'all',
}

/** Where to look: all that stays when nothing else is asked for. */
export function whereAsked({ where, mailbox }: Asked): Asked {
  return { ...(where ? { where } : {}), ...(mailbox ? { mailbox } : {}) }
}

/** Whether anything is asked for beside where to look. */
export function asksAnything(asked: Asked): boolean {
  return Object.keys(asked).length > Object.keys(whereAsked(asked)).length
}

/** Whether anything is asked for beside words and where to look. */
export function isNarrowed({ q: _, ...asked }: Asked): boolean {
  return asksAnything(asked)
}

/** The same of what was received, sent and drafted. */
export function everywhere({ where: _, ...asked }: Asked): Asked {
  return asked
}

/** The address of a search. */
export function searchAddress(asked: Asked, page = 1): string {
  const q = asked.q?.slice(0, queryLengthMax)
  const query = new URLSearchParams({ ...asked, ...(q === undefined ? {} : { q }), ...(page > 1 ? { page: String(page) } : {}) })
  return `/search${query.size > 0 ? `?${query}` : ''}`
}

export function readFilters(asked: Asked, t: Translate): { filters: SearchFilters; errors: FieldError[] } {
  const errors: FieldError[] = []
  const day = (field: 'from' | 'until', toTime: typeof startOfDay): Date | undefined => {
    const text = asked[field]
    if (text === undefined) return undefined
    const time = readDay(text, toTime)
    if (time === undefined) errors.push({ field, text: t(field === 'from' ? 'search:from-wrong' : 'search:until-wrong') })
    return time
  }
  const [from, until] = [day('from', startOfDay), day('until', endOfDay)]
  if (from && until && from > until) errors.push({ field: 'until', text: t('search:until-before-from') })
  const filters = {
    place: asked.where as Place | undefined,
    serviceId: asked.sender,
    from,
    until,
    hasDocument: asked.document !== undefined,
    isUnread: asked.unread !== undefined,
    isFlagged: asked.flagged !== undefined,
    hasToDo: asked.todo !== undefined,
    folder: asked.folder,
  }
  const isElsewhere = filters.place === 'sent' || filters.place === 'drafts'
  if (isElsewhere && asksForReceived(filters)) errors.push({ field: 'where', text: t('search:where-wrong') })
  return { errors, filters }
}

const months = [
  ['jan', 'ion'],
  ['feb', 'chw'],
  ['mar', 'maw'],
  ['apr', 'ebr'],
  ['may', 'mai'],
  ['jun', 'meh'],
  ['jul', 'gor'],
  ['aug', 'aws'],
  ['sep', 'med'],
  ['oct', 'hyd'],
  ['nov', 'tac'],
  ['dec', 'rha'],
]

/** 27/3/2026, 27 3 26, 2026-03-27, 27 March 2026, 27 Mawrth 2026. */
function readDay(text: string, toTime: typeof startOfDay): Date | undefined {
  const words = text
    .toLowerCase()
    .split(/[^\p{L}\d]+/u)
    .filter((word) => word !== '')
  if (words.length !== 3) return undefined
  if (words[0]!.length === 4) words.reverse()
  const [day, month, year] = words as [string, string, string]
  const named = months.findIndex((names) => names.some((name) => month.startsWith(name))) + 1
  const number = named > 0 ? named : Number(month)
  const whole = /^\d{2}$/.test(year) ? 2_000 + Number(year) : Number(year)
  const isDay = /^\d{1,2}$/.test(day) && number >= 1 && number <= 12 && whole >= 1900 && whole <= 9999
  return isDay ? toTime(whole, number, Number(day)) : undefined
}

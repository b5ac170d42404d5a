import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Actor } from '../../access/actor.ts'
import { type FolderInTree, fixedFolders, isFixed } from '../../mailbox/folder.ts'
import type { LetterSummary } from '../../mailbox/letter.ts'
import { type FolderPage, type Listed, type Show, shows } from '../../mailbox/list.ts'
import { dayInWords } from '../dates.ts'
import { type Pagination, pagination } from '../pagination.ts'
import { type Language, languageOf, type Translate, wordsFor } from '../words.ts'

const uuid = '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}'
/** The name of a folder in an address. */
export const FolderId = Type.String({ pattern: `^(inbox|archive|bin|${uuid})$` })
export const ShowQuery = Type.Optional(Type.Enum(shows))

export function folderHref(folder: string): string {
  return folder === 'inbox' ? '/inbox' : `/folders/${folder}`
}

/** Which part of the list is shown, where that is not its beginning. */
function partOf({ show = 'all', page = 1 }: Listed): Record<string, string> {
  return { ...(show === 'all' ? {} : { show }), ...(page === 1 ? {} : { page: String(page) }) }
}

export function addressWith(path: string, query: Record<string, string>): string {
  const text = new URLSearchParams(query).toString()
  return text === '' ? path : `${path}?${text}`
}

/** The page of a list. */
export function listHref(listed: Listed): string {
  return addressWith(folderHref(listed.folder), partOf(listed))
}

export function folderName(t: Translate, folders: readonly FolderInTree[], folder: string): string {
  if (isFixed(folder)) return t(`letter-list:folders.${folder}`)
  return folders.find(({ id }) => id === folder)?.name ?? ''
}

type NavItem = { href: string; name: string; depth: number; unread: number; isCurrent: boolean }

/** What stands in the panes around a letter or a list: the folders, and the list of the one that is open. */
export type PanesView = {
  folder: string
  title: string
  href: string
  show: Show
  page: number
  state: string
  isLetter: boolean
  /** The letter that is open beside the list. */
  openId: string | undefined
  nav: NavItem[]
  tabs: { href: string; name: string; isCurrent: boolean }[]
  /** What follows the address of each letter, so that its page shows the same part of the list. */
  suffix: string
  letters: (LetterSummary & { isOutOfDate: boolean })[]
  total: number
  unread: number
  unreadInbox: number
  pagination: Pagination | undefined
  mayFile: boolean
  mayErase: boolean
  moveTo: { value: string; name: string }[]
  binDays: number
  /** Which words an empty list has. */
  empty: string
}

export function viewPanes(
  request: FastifyRequest,
  listed: FolderPage,
  { binDays, openId, now }: { binDays: number; openId?: string | undefined; now: Date },
): PanesView {
  const { actor } = request.signedIn!
  const t = wordsFor(request)
  const { folder, folders, show, page, unreadIn } = listed
  const item = (id: string, name: string, depth = 0): NavItem => {
    return { href: folderHref(id), name, depth, unread: unreadIn[id] ?? 0, isCurrent: id === folder }
  }
  const fixed = (id: string) => item(id, folderName(t, folders, id))
  const elsewhere = (href: string, name: string): NavItem => ({ href, name, depth: 0, unread: 0, isCurrent: false })
  const tabNames = { all: t('letter-list:all'), unread: t('letter-list:only-unread'), flagged: t('letter-list:only-flagged') }
  const part = partOf(listed)
  return {
    folder,
    title: folderName(t, folders, folder),
    href: listHref(listed),
    show,
    page,
    state: listed.state,
    isLetter: openId !== undefined,
    openId,
    nav: [
      fixed('inbox'),
      fixed('archive'),
      ...folders.map(({ id, name, depth }) => item(id, name, depth)),
      ...(actor.rights.has('messages:write') ? [elsewhere('/drafts', t('folders:more.drafts'))] : []),
      elsewhere('/sent', t('shell:sent')),
      fixed('bin'),
    ],
    tabs: shows.map((each) => ({ href: listHref({ folder, show: each }), name: tabNames[each], isCurrent: each === show })),
    suffix: addressWith('', part),
    letters: listed.letters.map((letter) => viewLine(t, letter, languageOf(request), now)),
    total: listed.total,
    unread: listed.unread,
    unreadInbox: unreadIn.inbox ?? 0,
    pagination: pagination(listHref({ folder, show }), page, listed.pages),
    mayFile: actor.rights.has('mailbox:file'),
    mayErase: actor.rights.has('mailbox:erase'),
    moveTo: moveTargets(t, folders, folder),
    binDays,
    empty: wordsOfEmpty(actor, listed),
  }
}

/** Of a letter that was taken back its line says that, and nothing else of it. */
function viewLine(t: Translate, letter: LetterSummary, language: Language, now: Date) {
  const { otherName: sender, recalledAt, recallReason: reason, expiresAt } = letter
  const subject = recalledAt
    ? t('letter-list:recalled', { sender, day: dayInWords(recalledAt, language), reason })
    : letter.subject
  return { ...letter, subject, isOutOfDate: !recalledAt && Boolean(expiresAt && expiresAt <= now) }
}

/** Where letters of a folder can be put. */
export function moveTargets(t: Translate, folders: readonly FolderInTree[], from: string): { value: string; name: string }[] {
  return [
    ...fixedFolders.map((id) => ({ value: id as string, name: folderName(t, folders, id) })),
    ...folders.map(({ id, path }) => ({ value: id, name: path.join(' / ') })),
  ].filter(({ value }) => value !== from)
}

function wordsOfEmpty({ by }: Actor, { folder, show, holdsAny }: FolderPage): string {
  if (show !== 'all') return show
  if (by.kind !== 'owner' && folder === 'inbox') return 'not-yours'
  if (folder !== 'inbox') return isFixed(folder) ? folder : 'folder'
  return holdsAny ? 'inbox-filed' : 'inbox'
}

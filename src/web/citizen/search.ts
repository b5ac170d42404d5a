import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { listMailboxes, type ReadableMailbox } from '../../access/list-mailboxes.ts'
import { requireRight } from '../../access/rights.ts'
import { listFolders } from '../../mailbox/change-folders.ts'
import { highlight } from '../../mailbox/highlight.ts'
import { wantIndex } from '../../mailbox/index-documents.ts'
import { listSenders, type Sender } from '../../mailbox/list-senders.ts'
import { deleteSavedSearch, listSavedSearches, savedNameLengthMax, saveSearch } from '../../mailbox/saved-searches.ts'
import { type FoundIn, type Results, searchMailboxes } from '../../mailbox/search-mailboxes.ts'
import { type Place, parseQuery, places, queryLengthMax, type SearchFilters } from '../../mailbox/search-query.ts'
import { Problem } from '../../problems.ts'
import { openMailbox } from '../../sign-in/session.ts'
import { type FieldError, type Surroundings, sendPage } from '../page.ts'
import { checkForm, checkFormOfAnyMailbox, sessionCookies } from '../session.ts'
import { languageOf, type Translate, wordsFor } from '../words.ts'
import {
  type Asked,
  asksAnything,
  everywhere,
  isNarrowed,
  readAsked,
  readFilters,
  searchAddress,
  searchFields,
  searchFolders,
  whereAsked,
} from './search-form.ts'

const mailboxesMax = 50
const pagesMax = 50
const Query = Type.Object({ page: Type.Optional(Type.Integer({ minimum: 1, maximum: pagesMax })) })
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Under which address what was found there has its page. */
const pageOf: Record<Place, string> = { received: '/letters', sent: '/sent', drafts: '/drafts' }

type Where = { mailboxes: ReadableMailbox[]; open: ReadableMailbox; hasMore: boolean }

/** Finds letters, what was sent and drafts by their words and the words inside documents. What is looked for stands in the address, which nobody logs. */
export function searchPages(app: FastifyInstance, surroundings: Surroundings): void {
  const { config, database, clock } = surroundings
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()
  const cookie = sessionCookies(config.baseUrl).person

  scope.get('/search', { schema: { querystring: Query } }, (request, reply) =>
    answer(surroundings, request, reply, readAsked(request.query), { page: request.query.page ?? 1 }),
  )

  scope.post('/searches', { preHandler: checkForm }, async (request, reply) => {
    const { actor } = request.signedIn!
    requireRight(actor, 'inbox:read')
    const given = request.body as Record<string, unknown>
    const asked = readAsked(given)
    const name = typeof given.name === 'string' ? given.name.replace(/[\p{Cc}\s]+/gu, ' ').trim() : ''
    const t = wordsFor(request)
    const refuse = (text: string) =>
      answer(surroundings, request, reply, asked, { page: 1, name, error: { field: 'name', text } })
    if (!asksAnything(asked)) return reply.redirect('/search', 303)
    if (name === '') return refuse(t('search:name-empty'))
    if (name.length > savedNameLengthMax) return refuse(t('search:name-long', { count: savedNameLengthMax }))
    try {
      const kept = { ...asked, ...(asked.q === undefined ? {} : { q: asked.q.slice(0, queryLengthMax) }) }
      await saveSearch(database, actor, { name, asked: kept }, clock())
    } catch (error) {
      if (error instanceof Problem && error.code === 'too-many-saved-searches') return refuse(t('search:too-many'))
      throw error
    }
    return reply.redirect(searchAddress(asked), 303)
  })

  scope.post<{ Params: { id: string } }>('/searches/:id/delete', { preHandler: checkForm }, async (request, reply) => {
    requireRight(request.signedIn!.actor, 'inbox:read')
    if (!uuid.test(request.params.id)) throw new Problem('not-found')
    await deleteSavedSearch(database, request.signedIn!.actor, request.params.id)
    return reply.redirect(searchAddress(readAsked(request.body as Record<string, unknown>)), 303)
  })

  /** A letter that was found in another mailbox: that one is opened first. */
  scope.post('/search/open', { preHandler: checkFormOfAnyMailbox }, async (request, reply) => {
    const { grant, via, letter, place } = request.body as Record<string, unknown>
    const found = places.find((one) => one === place)
    if (typeof letter !== 'string' || !uuid.test(letter) || found === undefined) throw new Problem('not-found')
    const [grantId, viaGrantId] = [readId(grant), readId(via)]
    await openMailbox(database, request.cookies[cookie.name]!, grantId ? { grantId, viaGrantId } : undefined, clock())
    return reply.redirect(`${pageOf[found]}/${letter}`, 303)
  })
}

function readId(value: unknown): string | undefined {
  if (value === undefined || (typeof value === 'string' && uuid.test(value))) return value
  throw new Problem('not-found')
}

type Showing = { page: number; name?: string; error?: FieldError }

async function answer(
  { database, clock }: Surroundings,
  request: FastifyRequest,
  reply: FastifyReply,
  asked: Asked,
  { page, name, error }: Showing,
) {
  const { actor } = request.signedIn!
  requireRight(actor, 'inbox:read')
  const now = clock()
  const t = wordsFor(request)
  const { filters, errors } = readFilters(asked, t)
  if (error) errors.push(error)
  const where = await whereToLook(database, request, now)
  const mailboxes = asked.mailbox === 'all' ? where.mailboxes : [where.open]
  const query = parseQuery(asked.q ?? '')
  const isAsked = asksAnything(asked) && !errors.some(({ field }) => field !== 'name')
  // Whoever opens the page is about to search: until they have typed, the index can be brought on.
  if (!isAsked) await wantIndex(database, actor.mailboxId, now)
  const [results, senders, saved, ownFolders] = await Promise.all([
    isAsked ? searchMailboxes(database, mailboxes, { query, filters, page, language: languageOf(request) }, now) : undefined,
    sendersOf(database, mailboxes),
    listSavedSearches(database, actor),
    listFolders(database, actor),
  ])
  if (results !== undefined && page > 1 && results.letters.length === 0) throw new Problem('not-found')
  return sendPage(
    request,
    reply,
    'citizen/search',
    {
      title: t('search:title'),
      section: 'search',
      errors,
      asked,
      hidden: searchFields.flatMap((field) => (asked[field] === undefined ? [] : [{ field, value: asked[field] }])),
      name,
      isCut: query.isCut,
      hasFilters: isNarrowed(asked),
      isAll: asked.mailbox === 'all',
      mayLookInAll: where.mailboxes.length > 1,
      openName: where.open.grantId === undefined ? undefined : where.open.ownerName,
      mailboxesMax: where.hasMore ? mailboxesMax : undefined,
      senders,
      folders: [
        ...searchFolders.map((folder) => ({ folder: folder as string, text: t(`search:folders.${folder}`) })),
        ...ownFolders.map(({ id, path }) => ({ folder: id, text: path.join(' / ') })),
      ],
      saved: saved.map((one) => ({ id: one.id, name: one.name, href: searchAddress(readAsked(one.asked)) })),
      again: searchAddress(asked),
      places,
      withoutFilters: searchAddress({ ...(asked.q === undefined ? {} : { q: asked.q }), ...whereAsked(asked) }),
      everywhere: asked.where === undefined ? undefined : searchAddress(everywhere(asked)),
      inAll: asked.mailbox === 'all' ? undefined : searchAddress({ ...asked, mailbox: 'all' }),
      ...(results === undefined ? {} : viewResults(results, where, asked, { page, filters, t })),
    },
    errors.length > 0 ? 422 : 200,
  )
}

/** The mailboxes that the person may read; the one that is open is always among them. */
async function whereToLook(database: Surroundings['database'], request: FastifyRequest, now: Date): Promise<Where> {
  const { actor, openMailbox: opened, name } = request.signedIn!
  const { mailboxes, hasMore } = await listMailboxes(database, actor, mailboxesMax, now)
  const isOpen = ({ grantId, viaGrantId }: ReadableMailbox) =>
    grantId === opened?.grantId && viaGrantId === (opened?.viaGrantId ?? undefined)
  const open = {
    actor,
    ownerName: opened?.ownerName ?? name,
    grantId: opened?.grantId,
    viaGrantId: opened?.viaGrantId ?? undefined,
    firmName: opened?.firmName ?? undefined,
  }
  return { open, hasMore, mailboxes: [open, ...mailboxes.filter((mailbox) => !isOpen(mailbox))].slice(0, mailboxesMax) }
}

async function sendersOf(database: Surroundings['database'], mailboxes: readonly ReadableMailbox[]): Promise<Sender[]> {
  const lists = await Promise.all(mailboxes.map(({ actor }) => listSenders(database, actor)))
  const byId = new Map(lists.flat().map((sender) => [sender.serviceId, sender]))
  const nameOf = ({ senderName, serviceName }: Sender) => `${senderName} ${serviceName}`
  return [...byId.values()].sort((one, other) => nameOf(one).localeCompare(nameOf(other)))
}

function viewResults(
  results: Results<ReadableMailbox>,
  { open }: Where,
  asked: Asked,
  { page, filters, t }: { page: number; filters: SearchFilters; t: Translate },
) {
  const href = (number: number) => searchAddress(asked, number)
  /** Who wrote it, or whom it is to. */
  const otherSide = ({ place, draft, otherName }: FoundIn<ReadableMailbox>) => {
    if (draft) return t(`drafts:kind-${draft.kind}`, { name: otherName })
    return place === 'sent' ? t('sent:to', { name: otherName }) : otherName
  }
  const view = ({ mailbox, ...letter }: FoundIn<ReadableMailbox>) => ({
    ...letter,
    href: `${pageOf[letter.place]}/${letter.id}`,
    subject: highlight(letter.subject === '' ? t('drafts:no-subject') : letter.subject, results.needles),
    otherName: highlight(otherSide({ mailbox, ...letter }), results.needles),
    isInBin: letter.folder === 'bin' && filters.folder === undefined,
    ownerName: asked.mailbox === 'all' ? mailbox.ownerName : undefined,
    firmName: mailbox.firmName,
    elsewhere: mailbox === open ? undefined : { grantId: mailbox.grantId, viaGrantId: mailbox.viaGrantId },
  })
  const hasNext = results.hasMore && page < pagesMax
  return {
    results: { ...results, letters: results.letters.map(view) },
    pagination:
      page > 1 || hasNext
        ? { items: [], previous: page > 1 ? href(page - 1) : undefined, next: hasNext ? href(page + 1) : undefined }
        : undefined,
  }
}

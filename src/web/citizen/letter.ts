import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Database } from '../../database/connect.ts'
import { readAction } from '../../documents/action.ts'
import { Language } from '../../documents/document.ts'
import { readThread } from '../../mailbox/find.ts'
import { type Letter, mayBeAnswered } from '../../mailbox/letter.ts'
import { open } from '../../mailbox/open.ts'
import { listContactsOf } from '../../registry/contact-browse.ts'
import { readerOf, viewAction } from '../action-view.ts'
import { LetterParams } from '../address.ts'
import { viewConversation, viewLetter } from '../letter-view.ts'
import { type Surroundings, sendPage } from '../page.ts'
import { languageOf } from '../words.ts'
import { besideLetter, PanesQuery } from './letter-panes.ts'

/** More are a click away. */
const contactsShown = 3

export function letterPage(app: FastifyInstance, surroundings: Surroundings): void {
  const { database, clock } = surroundings
  const schema = { params: LetterParams, querystring: Type.Object({ language: Type.Optional(Language), ...PanesQuery }) }
  app.withTypeProvider<TypeBoxTypeProvider>().get('/letters/:id', { schema }, async (request, reply) => {
    const { actor } = request.signedIn!
    const now = clock()
    const letter = await open(database, actor, request.params.id, now, request.query.again !== undefined)
    const [thread, contacts, beside] = await Promise.all([
      readThread(database, actor, letter.threadId, now, letter.id),
      findContacts(request, database, letter),
      besideLetter(request, surroundings, letter, request.query),
    ])
    // In the language of the pages where it is written in that; the other is a click away.
    const language = request.query.language ?? languageOf(request)
    const view = viewLetter(letter, '/letters', 2, language)
    return sendPage(request, reply, 'citizen/letter', {
      title: view.subject,
      section: 'inbox',
      ...beside,
      letter: view,
      isRecipientOnly: letter.recipientOnly,
      actions: letter.actions.map((action) => viewAction(readAction(action), letter.id, readerOf(request, now))),
      conversation: viewConversation(thread, letter, '/letters', language),
      contacts,
      ...connections(letter, thread, now),
      forwarded: letter.forwarded && { ...letter.forwarded, availableAt: new Date(letter.forwarded.availableAt) },
      mayWrite: actor.rights.has('messages:write'),
      mayBeAnswered: mayBeAnswered(letter, now),
      replyBy: letter.replyBy,
      replyIsOver: letter.replyAllowed && letter.replyBy !== null && letter.replyBy < now,
    })
  })
}

/** What replaces what, as far as the reader may see both, and whether it is out of date. */
function connections({ correctsId, correctedById, expiresAt, recalledAt }: Letter, thread: readonly Letter[], now: Date) {
  const hrefOf = (id: string | null) => (thread.some((other) => other.id === id && !other.isSent) ? `/letters/${id}` : undefined)
  return {
    replacedBy: hrefOf(correctedById),
    replaces: recalledAt === null ? hrefOf(correctsId) : undefined,
    isOutOfDate: recalledAt === null && expiresAt !== null && expiresAt <= now,
  }
}

async function findContacts(request: FastifyRequest, database: Database, letter: Letter) {
  const points = await listContactsOf(database, request.signedIn!.actor, letter.serviceId, contactsShown)
  const language = languageOf(request)
  return points.map(({ name, slug, organisationSlug }) => ({
    name: name[language] ?? name.en,
    href: `/write/${organisationSlug}/${slug}`,
    organisationHref: `/write/${organisationSlug}`,
  }))
}

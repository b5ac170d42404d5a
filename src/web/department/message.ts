import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import type { Database } from '../../database/connect.ts'
import { readWithheld } from '../../delivery/withheld.ts'
import { readAction } from '../../documents/action.ts'
import { Language } from '../../documents/document.ts'
import { find, readThread } from '../../mailbox/find.ts'
import { type Letter, mayBeAnswered } from '../../mailbox/letter.ts'
import { open } from '../../mailbox/open.ts'
import { Problem } from '../../problems.ts'
import { findIdentifiers } from '../../registry/find-identifiers.ts'
import type { Identifier, IdentifierKeys } from '../../registry/identifier.ts'
import { labelOf, stateWord } from '../action-view.ts'
import { LetterParams } from '../address.ts'
import { viewConversation, viewLetter } from '../letter-view.ts'
import { sendPage } from '../page.ts'
import { languageOf, wordsFor } from '../words.ts'
import { findInMailbox, writesFor } from './recall.ts'
import { sendWithheld } from './withheld.ts'

const folder = '/department/messages'

/** What people have written, and what the service has written to them. */
export function messagePages(app: FastifyInstance, database: Database, keys: IdentifierKeys, clock: () => Date): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()

  const schema = { params: LetterParams, querystring: Type.Object({ language: Type.Optional(Language) }) }
  scope.get(`${folder}/:id`, { schema }, async (request, reply) => {
    const { actor } = request.signedIn!
    const now = clock()
    const found = await findInMailbox(database, actor, request.params.id)
    if (found === undefined || (found.isSent && found.recalledAt !== null))
      return sendWithheld(
        request,
        reply,
        await readWithheld(database, actor, request.params.id, now),
        request.query.language,
        now,
      )
    const letter = found.isSent ? found : await open(database, actor, found.id, now)
    const [thread, identifier] = await Promise.all([
      readThread(database, actor, letter.threadId, now, letter.id),
      letter.isSent ? undefined : findIdentifier(database, keys, letter),
    ])
    const view = viewLetter(letter, folder, 2, request.query.language)
    return sendPage(request, reply, 'department/message', {
      title: view.subject,
      section: 'inbox',
      letter: view,
      identifier,
      contact: letter.contact,
      conversation: viewConversation(thread, letter, folder),
      actions: letter.actions.map((stored) => {
        const { said, stateAt, ...action } = readAction(stored)
        return { ...action, stateAt, ...labelOf(said, languageOf(request)), became: stateWord({ said, state: action.state }) }
      }),
      replacedBy: letter.correctedById && `${folder}/${letter.correctedById}`,
      replaces: letter.correctsId && `${folder}/${letter.correctsId}`,
      isOutOfDate: letter.expiresAt !== null && letter.expiresAt <= now,
      mayTakeBack: letter.isSent && letter.openedAt === null && writesFor(actor, letter),
      mayBeAnswered: mayBeAnswered(letter, now) && writesFor(actor, letter),
    })
  })

  scope.get(`${folder}/:id/confirmation`, { schema: { params: LetterParams } }, async (request, reply) => {
    const letter = await find(database, request.signedIn!.actor, request.params.id)
    if (!letter.isSent) throw new Problem('not-found')
    return sendPage(request, reply, 'department/confirmation', {
      title: wordsFor(request)('staff-inbox:delivered.title'),
      section: 'write',
      letter,
    })
  })
}

async function findIdentifier(database: Database, keys: IdentifierKeys, letter: Letter): Promise<Identifier | undefined> {
  const [identifier] = await findIdentifiers(database, keys, [{ serviceId: letter.serviceId, partyId: letter.senderPartyId }])
  return identifier
}

import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { Language } from '../../documents/document.ts'
import { find } from '../../mailbox/find.ts'
import { open } from '../../mailbox/open.ts'
import { listProof } from '../../mailbox/proof.ts'
import { LetterParams } from '../address.ts'
import { viewLetter } from '../letter-view.ts'
import { type Surroundings, sendPage } from '../page.ts'
import { viewProof } from '../proof-view.ts'
import { languageOf, wordsFor } from '../words.ts'

/** A letter made ready for paper, with what is known of it. To print it is to read it. */
export function printPage(app: FastifyInstance, { database, clock, config }: Surroundings): void {
  const schema = { params: LetterParams, querystring: Type.Object({ language: Type.Optional(Language) }) }
  app.withTypeProvider<TypeBoxTypeProvider>().get('/letters/:id/print', { schema }, async (request, reply) => {
    const { actor, name } = request.signedIn!
    const now = clock()
    const found = await find(database, actor, request.params.id)
    const letter = found.isSent ? found : await open(database, actor, found.id, now)
    const t = wordsFor(request)
    const view = viewLetter(letter, '/letters', 2, request.query.language ?? languageOf(request))
    const address = found.isSent ? `/sent/${found.id}` : view.href
    const proof = viewProof(t, letter, await listProof(database, actor, letter), address)
    return sendPage(request, reply, 'citizen/print', {
      title: t('print:title', { subject: view.subject }),
      isBare: true,
      back: address,
      text: view,
      answersId: letter.answersId,
      threadId: letter.threadId,
      proof,
      verifyAddress: `${config.baseUrl}/verify`,
      printedBy: name,
      now,
    })
  })
}

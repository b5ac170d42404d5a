import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { Type } from 'typebox'
import { Language } from '../documents/document.ts'
import type { MakeReceipt } from '../evidence/make-receipt.ts'
import { find } from '../mailbox/find.ts'
import type { Letter } from '../mailbox/letter.ts'
import { open } from '../mailbox/open.ts'
import { findProof, findReceipt } from '../mailbox/proof.ts'
import { Problem } from '../problems.ts'
import { LetterParams } from './address.ts'
import { disposition, refuseOtherSites } from './download.ts'
import { type PageData, type Surroundings, sendPage } from './page.ts'
import { viewProof } from './proof-view.ts'
import { wordsFor } from './words.ts'

/** `shows`: what is at the folder's addresses. */
export type ProofOptions = {
  makeReceipt: MakeReceipt
  folder: string
  shows: 'received' | 'sent' | 'either'
  section: PageData['section']
}

const ReceiptParams = Type.Object({ id: Type.String({ format: 'uuid' }), evidenceId: Type.String({ format: 'uuid' }) })
const TextParams = Type.Object({ id: Type.String({ format: 'uuid' }), language: Language })

/** What can be proved of the messages under `folder`, for both doors: a page about it, the receipts, and the text that they are about. */
export function proofPages(app: FastifyInstance, { database, clock }: Surroundings, options: ProofOptions): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()
  const { makeReceipt, folder, shows, section } = options
  const requireShown = (letter: Letter) => {
    if (shows !== 'either' && letter.isSent !== (shows === 'sent')) throw new Problem('not-found')
  }

  scope.get(`${folder}/:id/proof`, { schema: { params: LetterParams } }, async (request, reply) => {
    const { letter, evidence } = await findProof(database, request.signedIn!.actor, request.params.id)
    requireShown(letter)
    return sendPage(request, reply, 'proof', {
      title: wordsFor(request)('proof:title'),
      section,
      ...viewProof(wordsFor(request), letter, evidence, `${folder}/${letter.id}`),
    })
  })

  scope.get(`${folder}/:id/proof/:evidenceId`, { schema: { params: ReceiptParams } }, async (request, reply) => {
    refuseOtherSites(request)
    const { id, evidenceId } = request.params
    const { actor } = request.signedIn!
    requireShown(await find(database, actor, id))
    const receipt = await findReceipt(database, actor, id, evidenceId, makeReceipt, clock())
    return sendFile(reply, 'application/octet-stream', `${evidenceId}.tlog-proof`, receipt)
  })

  scope.get(`${folder}/:id/proof/texts/:language`, { schema: { params: TextParams } }, async (request, reply) => {
    refuseOtherSites(request)
    const { id, language } = request.params
    const { actor } = request.signedIn!
    const found = await find(database, actor, id)
    requireShown(found)
    const text = found.content.find((each) => each.language === language)
    if (text === undefined) throw new Problem('not-found')
    // Who has a letter's text has opened it.
    if (!found.isSent) await open(database, actor, id, clock())
    return sendFile(reply, 'text/markdown; charset=utf-8', `letter-${language}.md`, text.body)
  })
}

function sendFile(reply: FastifyReply, mediaType: string, filename: string, text: string): FastifyReply {
  return reply
    .headers({
      'content-type': mediaType,
      'content-disposition': disposition('attachment', filename),
      'content-security-policy': "default-src 'none'; sandbox",
      'cache-control': 'no-store',
    })
    .send(Buffer.from(text))
}

import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type Actor, servicesFor } from '../../access/actor.ts'
import { requireRight } from '../../access/rights.ts'
import type { Database } from '../../database/connect.ts'
import { recall, recallReasonMax } from '../../delivery/recall.ts'
import { findWithheld, type Withheld } from '../../delivery/withheld.ts'
import { find } from '../../mailbox/find.ts'
import { Problem } from '../../problems.ts'
import { LetterParams } from '../address.ts'
import { type FieldError, type Surroundings, sendPage } from '../page.ts'
import { wordsFor } from '../words.ts'
import { readPosted } from './posted-form.ts'

const folder = '/department/messages'

/** Taking back a letter that nobody has opened, or that is not in its mailbox yet. */
export function recallPages(app: FastifyInstance, { database, clock }: Pick<Surroundings, 'database' | 'clock'>): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()

  scope.get(`${folder}/:id/recall`, { schema: { params: LetterParams } }, async (request, reply) => {
    const asked = await findToTakeBack(database, request.signedIn!.actor, request.params.id)
    if (!asked.isLive) return reply.redirect(`${folder}/${request.params.id}`, 303)
    return sendForm(request, reply, asked, '')
  })

  scope.post(`${folder}/:id/recall`, { schema: { params: LetterParams } }, async (request, reply) => {
    const { actor } = request.signedIn!
    requireRight(actor, 'messages:write')
    const reason = (await readPosted(request)).line('reason')
    const { id } = request.params
    const asked = await findToTakeBack(database, actor, id)
    const t = wordsFor(request)
    const refuse = (text: string) => sendForm(request, reply, asked, reason, [{ field: 'reason', text }])
    if (reason === '') return refuse(t('staff-inbox:take-back.reason-missing'))
    if (reason.length > recallReasonMax) return refuse(t('staff-inbox:take-back.reason-too-long', { max: recallReasonMax }))
    try {
      await recall(database, actor, { messageId: id, reason }, clock())
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'recall-too-late') throw error
      return refuse(t('staff-inbox:take-back.too-late'))
    }
    return reply.redirect(`${folder}/${id}`, 303)
  })
}

type Asked = { id: string; subject: string; recipientName: string | null; serviceName: string; isLive: boolean }

/** Throws `not-found` for what the actor may not take back, whatever has become of it. */
async function findToTakeBack(database: Database, actor: Actor, id: string): Promise<Asked> {
  requireRight(actor, 'messages:write')
  const found = await findInMailbox(database, actor, id)
  const letter = found ?? (await findWithheld(database, actor, id))
  if (found?.isSent === false || !writesFor(actor, letter)) throw new Problem('not-found')
  const { subject, recipientName, serviceName } = letter
  const isLive = found ? found.openedAt === null && found.recalledAt === null : isWaiting(letter as Withheld)
  return { id, subject, recipientName, serviceName, isLive }
}

/** Undefined where it is not in a mailbox. */
export async function findInMailbox(database: Database, actor: Actor, id: string) {
  return find(database, actor, id).catch((error) => {
    if (error instanceof Problem && error.code === 'not-found') return undefined
    throw error
  })
}

export function writesFor(actor: Actor, { serviceId }: { serviceId: string }): boolean {
  return servicesFor(actor, 'messages:write')?.includes(serviceId) ?? true
}

export const isWaiting = ({ why }: Withheld) => why === 'scheduled' || why === 'held'

function sendForm(request: FastifyRequest, reply: FastifyReply, letter: Asked, reason: string, errors: FieldError[] = []) {
  return sendPage(
    request,
    reply,
    'department/recall',
    { title: wordsFor(request)('staff-inbox:take-back.title'), section: 'inbox', letter, reason, errors },
    errors.length > 0 ? 422 : 200,
  )
}

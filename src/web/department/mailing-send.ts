import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { servicesFor } from '../../access/actor.ts'
import { requireRight } from '../../access/rights.ts'
import { findMailing } from '../../delivery/find-mailings.ts'
import { isTooFarAhead } from '../../delivery/message.ts'
import { startMailing } from '../../delivery/start-mailing.ts'
import { Problem } from '../../problems.ts'
import { LetterParams as MailingParams } from '../address.ts'
import { minuteInLondon } from '../dates.ts'
import type { FieldError, Surroundings } from '../page.ts'
import { type Translate, wordsFor } from '../words.ts'
import { type SendDraft, sendMailingPage } from './mailing-page.ts'
import { readPosted } from './posted-form.ts'

const folder = '/department/mailings'

/** Says that the letters of a mailing are to be sent, as they were seen. */
export function mailingSendPages(app: FastifyInstance, surroundings: Surroundings): void {
  const { database, clock } = surroundings
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()

  scope.post(`${folder}/:id/send`, { schema: { params: MailingParams } }, async (request, reply) => {
    const { actor } = request.signedIn!
    const posted = await readPosted(request)
    requireRight(actor, 'messages:write')
    const { id } = request.params
    const mailing = await findMailing(database, actor, id)
    if (!servicesFor(actor, 'messages:write')?.includes(mailing.senderId)) throw new Problem('not-found')
    const draft: SendDraft = {
      leaveOut: posted.line('leaveOut') !== '',
      hold: posted.line('hold') !== '',
      when: posted.line('when') === 'later' ? 'later' : 'now',
      day: posted.line('from-day'),
      month: posted.line('from-month'),
      year: posted.line('from-year'),
      time: posted.line('time'),
    }
    const t = wordsFor(request)
    const { availableFrom, errors } = readWhen(draft, clock(), t)
    if (mailing.unreachable > 0 && !draft.leaveOut)
      errors.unshift({ field: 'leaveOut', text: t('staff-mailings:send.leave-out-missing') })
    if (errors.length > 0) return sendMailingPage(request, reply, surroundings, id, { errors, send: draft })
    const seen = { fileId: posted.line('file'), letters: Number(posted.line('letters')), hold: draft.hold, availableFrom }
    try {
      await startMailing(database, actor, id, seen, clock())
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'changed-meanwhile') throw error
      const text = t('staff-mailings:send.changed')
      return sendMailingPage(request, reply, surroundings, id, { errors: [{ field: 'main-content', text }], send: draft })
    }
    return reply.redirect(`${folder}/${id}`, 303)
  })
}

function readWhen(
  { when, day, month, year, time }: SendDraft,
  now: Date,
  t: Translate,
): { availableFrom: Date | undefined; errors: FieldError[] } {
  if (when === 'now') return { availableFrom: undefined, errors: [] }
  const [, hours, minutes = '00'] = /^([01]?\d|2[0-3])(?:[:.]([0-5]\d))?$/.exec(time) ?? []
  const isDay = [day, month, year].every((part) => /^\d{1,4}$/.test(part))
  const at =
    isDay && hours !== undefined
      ? minuteInLondon([Number(year), Number(month), Number(day)], [Number(hours), Number(minutes)])
      : undefined
  const wrong = (field: string, text: string) => ({ availableFrom: undefined, errors: [{ field, text }] })
  if (hours === undefined) return wrong('time', t('staff-mailings:send.time-not-real'))
  if (at === undefined) return wrong('from', t('staff-mailings:send.day-not-real'))
  if (at <= now) return wrong('from', t('staff-mailings:send.past'))
  if (isTooFarAhead(at, now)) return wrong('from', t('staff-mailings:send.too-late'))
  return { availableFrom: at, errors: [] }
}

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
    const { availableFrom, errors } = readWhen(draft, clock())
    if (mailing.unreachable > 0 && !draft.leaveOut)
      errors.unshift({ field: 'leaveOut', text: 'Say that those who cannot be reached are left out, or use another file' })
    if (errors.length > 0) return sendMailingPage(request, reply, surroundings, id, { errors, send: draft })
    const seen = { fileId: posted.line('file'), letters: Number(posted.line('letters')), hold: draft.hold, availableFrom }
    try {
      await startMailing(database, actor, id, seen, clock())
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'changed-meanwhile') throw error
      const text = 'The mailing has changed since you saw it. This is how it is now'
      return sendMailingPage(request, reply, surroundings, id, { errors: [{ field: 'main-content', text }], send: draft })
    }
    return reply.redirect(`${folder}/${id}`, 303)
  })
}

function readWhen(
  { when, day, month, year, time }: SendDraft,
  now: Date,
): { availableFrom: Date | undefined; errors: FieldError[] } {
  if (when === 'now') return { availableFrom: undefined, errors: [] }
  const [, hours, minutes = '00'] = /^([01]?\d|2[0-3])(?:[:.]([0-5]\d))?$/.exec(time) ?? []
  const isDay = [day, month, year].every((part) => /^\d{1,4}$/.test(part))
  const at =
    isDay && hours !== undefined
      ? minuteInLondon([Number(year), Number(month), Number(day)], [Number(hours), Number(minutes)])
      : undefined
  const wrong = (field: string, text: string) => ({ availableFrom: undefined, errors: [{ field, text }] })
  if (hours === undefined) return wrong('time', 'Enter a time of day, such as 9:00 or 14:30')
  if (at === undefined) return wrong('from', 'Enter a real date, such as 31 3 2027')
  if (at <= now) return wrong('from', 'The time from which they are available must be in the future')
  if (isTooFarAhead(at, now)) return wrong('from', 'The time from which they are available must be at most a year from now')
  return { availableFrom: at, errors: [] }
}

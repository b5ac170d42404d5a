import { type Static, Type } from 'typebox'
import { reconcile } from '../../delivery/reconcile.ts'
import { daysAsCsv, daysMax, lateAsCsv, lateLettersMax, pendingInEnglish, refuseDays } from '../../delivery/reconciliation.ts'
import { Problem } from '../../problems.ts'
import { actorFor, slugOf } from '../authenticate.ts'
import { type ApiOptions, type ApiServer, problemAnswers, route, ServiceQuery } from './door.ts'

const Day = (description: string) => Type.String({ format: 'date', description })
const Count = Type.Integer({ minimum: 0 })

const Answer = Type.Object({
  days: Type.Array(
    Type.Object({
      service: Type.String(),
      day: Type.String({ format: 'date' }),
      accepted: Type.Integer({ description: 'Always the sum of available, failed, recalled and pending.' }),
      available: Count,
      failed: Count,
      recalled: Type.Integer({ description: 'Taken back before they were available.' }),
      pending: Count,
      rejected: Type.Integer({ description: 'Tries that were rejected. These were never accepted.' }),
    }),
    { description: 'Each day of each service, also where there was nothing.' },
  ),
  late: Type.Array(
    Type.Object({
      service: Type.String(),
      reference: Type.String(),
      messageId: Type.String({ format: 'uuid' }),
      since: Type.String({ format: 'date-time' }),
      why: Type.String(),
    }),
    { description: `Letters of these days that are pending for too long, ${lateLettersMax} at most.` },
  ),
  moreLate: Type.Boolean({ description: 'There are more of them.' }),
})

export function getReconciliation(app: ApiServer, options: ApiOptions & { pendingMinutes: number }): void {
  app.get(
    '/v1/reconciliation',
    {
      ...route(options, 'messages:read'),
      schema: {
        operationId: 'getReconciliation',
        tags: ['Messages'],
        summary: 'Whether every letter of a day is accounted for',
        description:
          'For each day, by the clock of London: how many letters were accepted, and what became of each. Letters that are pending for too long are named. ' +
          'With `Accept: text/csv` or `format=csv` the days, or the late letters, as CSV.',
        querystring: Type.Object(
          {
            from: Day('The first day, such as 2026-11-23.'),
            to: Day(`The last day. At most ${daysMax} days in all.`),
            service: ServiceQuery,
            format: Type.Optional(Type.Enum(['json', 'csv'])),
            part: Type.Enum(['days', 'late'], { default: 'days', description: 'Of CSV, which holds one of them.' }),
          },
          { additionalProperties: false },
        ),
        response: { 200: Answer, ...problemAnswers(400, 401, 403, 404) },
      },
    },
    async (request, reply) => {
      const { from, to, service, format, part } = request.query
      const refusal = refuseDays({ from, to })
      if (refusal === 'wrong-order') throw new Problem('body-invalid', [{ field: '/to', message: 'This is before from.' }])
      if (refusal === 'too-many')
        throw new Problem('body-invalid', [{ field: '/to', message: `Ask for ${daysMax} days at most.` }])
      const actor = actorFor(request, service)
      const found = await reconcile(options.database, actor, { from, to }, options.pendingMinutes, options.clock())
      const nameOf = (serviceId: string) => slugOf(request, serviceId)
      const isCsv = format === undefined ? /\btext\/csv\b/.test(request.headers.accept ?? '') : format === 'csv'
      reply.header('vary', 'Accept')
      if (isCsv) {
        reply.type('text/csv; charset=utf-8')
        return reply.send((part === 'late' ? lateAsCsv(found, nameOf) : daysAsCsv(found, nameOf)) as never)
      }
      const answer: Static<typeof Answer> = {
        days: found.days.map(({ serviceId, ...counts }) => ({ service: nameOf(serviceId), ...counts })),
        late: found.late.map(({ serviceId, since, why, ...letter }) => ({
          ...letter,
          service: nameOf(serviceId),
          since: since.toISOString(),
          why: pendingInEnglish(why),
        })),
        moreLate: found.isLateCut,
      }
      return answer
    },
  )
}

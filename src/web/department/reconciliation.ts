import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { type Static, Type } from 'typebox'
import { narrowTo, servicesFor } from '../../access/actor.ts'
import { requireRight } from '../../access/rights.ts'
import type { Database } from '../../database/connect.ts'
import { reconcile } from '../../delivery/reconcile.ts'
import {
  type Days,
  dayColumns,
  daysAsCsv,
  daysMax,
  lateAsCsv,
  lateColumns,
  lateLettersMax,
  type Reconciliation,
  refuseDays,
  utf8Mark,
} from '../../delivery/reconciliation.ts'
import { Problem } from '../../problems.ts'
import { listServices, type Service } from '../../registry/services.ts'
import { Slug } from '../address.ts'
import { dayInLondon, startOfDay } from '../dates.ts'
import { type FieldError, type Surroundings, sendPage } from '../page.ts'
import { type Translate, wordsFor } from '../words.ts'

const folder = '/department/reconciliation'
const Params = Type.Object({ service: Slug })
const Typed = Type.Optional(Type.String({ maxLength: 20 }))
/** Two dates as they are typed into a page’s six fields. */
const DaysTyped = Type.Object({
  'from-day': Typed,
  'from-month': Typed,
  'from-year': Typed,
  'to-day': Typed,
  'to-month': Typed,
  'to-year': Typed,
})
const Dates = Type.Object({ from: Type.String({ format: 'date' }), to: Type.String({ format: 'date' }) })
const daysAtFirst = 7

/** Whether every letter of a service is accounted for, day by day, for staff who may read post there. */
export function reconciliationPages(app: FastifyInstance, { database, config, clock }: Surroundings): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()
  const ask = (request: FastifyRequest, { id }: Service, days: Days) =>
    reconcile(database, narrowTo(request.signedIn!.actor, [id]), days, config.pendingMinutes, clock())

  scope.get(folder, async (request, reply) => {
    const services = await ownServices(database, request)
    return sendPage(request, reply, 'department/reconciliation-services', {
      title: wordsFor(request)('staff-reconciliation:title'),
      section: 'reconciliation',
      services: services.map(({ name, slug }) => ({ name, href: `${folder}/${slug}` })),
    })
  })

  scope.get(`${folder}/:service`, { schema: { params: Params, querystring: DaysTyped } }, async (request, reply) => {
    const t = wordsFor(request)
    const service = await findService(database, request)
    const { draft, days, errors } = readDays(request.query, clock(), t)
    const data = {
      title: t('staff-reconciliation:of', { service: service.name }),
      section: 'reconciliation' as const,
      service,
      href: `${folder}/${service.slug}`,
      draft,
      errors,
      pendingTime: t('dates:minute', { count: config.pendingMinutes }),
      lateMax: lateLettersMax,
    }
    if (days === undefined) return sendPage(request, reply, 'department/reconciliation', data, 422)
    const found = await ask(request, service, days)
    return sendPage(request, reply, 'department/reconciliation', {
      ...data,
      found: viewOf(found),
      query: new URLSearchParams(days),
    })
  })

  for (const part of ['days', 'late'] as const) {
    scope.get(`${folder}/:service/${part}.csv`, { schema: { params: Params, querystring: Dates } }, async (request, reply) => {
      const service = await findService(database, request)
      if (refuseDays(request.query) !== undefined) throw new Problem('not-found')
      const found = await ask(request, service, request.query)
      const name = `reconciliation-${service.slug}-${request.query.from}-${request.query.to}-${part}.csv`
      return reply
        .type('text/csv; charset=utf-8')
        .header('content-disposition', `attachment; filename="${name}"`)
        .header('cache-control', 'no-store')
        .send(utf8Mark + csvOf(part, found, service, wordsFor(request)))
    })
  }
}

/** As the API has it, in the language of who asks. */
function csvOf(part: 'days' | 'late', found: Reconciliation, { slug }: Service, t: Translate): string {
  const named = (columns: readonly string[]) => columns.map((column) => t(`staff-reconciliation:csv.${column}`))
  if (part === 'days') return daysAsCsv(found, () => slug, { columns: named(dayColumns) })
  return lateAsCsv(found, () => slug, {
    columns: named(lateColumns),
    inWords: (why) => t(`staff-reconciliation:late.${why ?? 'pending'}`),
  })
}

async function ownServices(database: Database, request: FastifyRequest): Promise<Service[]> {
  const { actor } = request.signedIn!
  requireRight(actor, 'messages:read')
  return listServices(database, { ids: servicesFor(actor, 'messages:read') ?? [] })
}

async function findService(database: Database, request: FastifyRequest): Promise<Service> {
  const { service: slug } = request.params as { service: string }
  const service = (await ownServices(database, request)).find((one) => one.slug === slug)
  if (service === undefined) throw new Problem('not-found')
  return service
}

function viewOf({ days, late, isLateCut }: Reconciliation) {
  const sum = (key: 'accepted' | 'available' | 'failed' | 'recalled' | 'pending' | 'rejected') =>
    days.reduce((total, day) => total + day[key], 0)
  return {
    // The newest first: that is what somebody comes for.
    days: days.toReversed().map(({ day, ...counts }) => ({ ...counts, at: startOfDay(...partsOf(day)) })),
    total: {
      accepted: sum('accepted'),
      available: sum('available'),
      failed: sum('failed'),
      recalled: sum('recalled'),
      pending: sum('pending'),
      rejected: sum('rejected'),
    },
    late: late.map((letter) => ({ ...letter, href: `/department/messages/${letter.messageId}` })),
    isLateCut,
  }
}

function partsOf(date: string): [year: number, month: number, day: number] {
  const [year, month, day] = date.split('-').map(Number)
  return [year!, month!, day!]
}

type DateTyped = { day: string; month: string; year: string }

/** Where nothing was typed, the last days. */
function readDays(
  typed: Static<typeof DaysTyped>,
  now: Date,
  t: Translate,
): { draft: { from: DateTyped; to: DateTyped }; days?: Days; errors: FieldError[] } {
  const field = (end: 'from' | 'to'): DateTyped => ({
    day: typed[`${end}-day`]?.trim() ?? '',
    month: typed[`${end}-month`]?.trim() ?? '',
    year: typed[`${end}-year`]?.trim() ?? '',
  })
  const draft = { from: field('from'), to: field('to') }
  if (Object.keys(typed).length === 0) {
    const days = { from: dayInLondon(new Date(now.getTime() - (daysAtFirst - 1) * 86_400_000)), to: dayInLondon(now) }
    const show = (date: string): DateTyped => {
      const [year, month, day] = partsOf(date).map(String)
      return { day: day!, month: month!, year: year! }
    }
    return { draft: { from: show(days.from), to: show(days.to) }, days, errors: [] }
  }
  const [from, to] = [readDate(draft.from), readDate(draft.to)]
  const errors: FieldError[] = []
  if (from === undefined) errors.push({ field: 'from', text: t('staff-reconciliation:first-day-wrong') })
  if (to === undefined) errors.push({ field: 'to', text: t('staff-reconciliation:last-day-wrong') })
  if (from === undefined || to === undefined) return { draft, errors }
  const refusal = refuseDays({ from, to })
  if (refusal !== undefined) errors.push({ field: 'to', text: t(`staff-reconciliation:refused.${refusal}`, { max: daysMax }) })
  return errors.length > 0 ? { draft, errors } : { draft, days: { from, to }, errors }
}

function readDate({ day, month, year }: DateTyped): string | undefined {
  if (!/^\d{1,2}$/.test(day) || !/^\d{1,2}$/.test(month) || !/^\d{4}$/.test(year)) return undefined
  if (startOfDay(Number(year), Number(month), Number(day)) === undefined) return undefined
  return `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`
}

import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { browseContacts, findContactPoint, listOrganisations, mayWriteTo } from '../../registry/contact-browse.ts'
import type { ContactPoint } from '../../registry/contact-point.ts'
import { searchContactPoints, searchLengthMax } from '../../registry/contact-search.ts'
import { Slug } from '../address.ts'
import { limitsForPeople, readForm, toLine } from '../form.ts'
import { sendPage } from '../page.ts'
import { wordsFor } from '../words.ts'
import { type Desk, receiveNew, sendNotYours, showWriting, writingTo } from './writing.ts'

/** Where to write to, by searching or browsing, and then the message itself. */
export function writePages(app: FastifyInstance, surroundings: Desk): void {
  findingPages(app, surroundings)
  writingPages(app, surroundings)
}

function findingPages(app: FastifyInstance, { database }: Desk): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()

  scope.get('/write', { schema: { querystring: Type.Object({ q: Type.Optional(Type.String()) }) } }, async (request, reply) => {
    const { actor } = request.signedIn!
    const t = wordsFor(request)
    const title = t('contacts:who')
    const words = toLine(request.query.q).slice(0, searchLengthMax)
    const found = words === '' ? undefined : await searchContactPoints(database, actor, words)
    return sendPage(request, reply, 'citizen/organisations', {
      title: found ? t('contacts:results', { title }) : title,
      heading: title,
      section: 'write',
      words,
      found,
      organisations: found && found.points.length > 0 ? [] : await listOrganisations(database, actor),
    })
  })

  const sendLevel = async (request: FastifyRequest, reply: FastifyReply, at: { organisation: string; group?: string }) => {
    const level = await browseContacts(database, request.signedIn!.actor, at)
    const outer = level.path.at(-2)
    const folder = `/write/${at.organisation}`
    return sendPage(request, reply, 'citizen/contacts', {
      title: wordsFor(request)('contacts:about-what', { name: level.organisationName }),
      section: 'write',
      level,
      folder,
      here: level.path.at(-1),
      back: at.group === undefined ? '/write' : outer ? `${folder}/groups/${outer.slug}` : folder,
    })
  }
  scope.get('/write/:organisation', { schema: { params: Type.Object({ organisation: Slug }) } }, (request, reply) =>
    sendLevel(request, reply, request.params),
  )
  const inGroup = { schema: { params: Type.Object({ organisation: Slug, group: Slug }) } }
  scope.get('/write/:organisation/groups/:group', inGroup, (request, reply) => sendLevel(request, reply, request.params))
}

function writingPages(app: FastifyInstance, surroundings: Desk): void {
  const { config, database } = surroundings
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()
  const schema = { params: Type.Object({ organisation: Slug, point: Slug }) }

  scope.get('/write/:organisation/:point', { schema }, async (request, reply) => {
    const { actor } = request.signedIn!
    const point = await findContactPoint(database, actor, request.params)
    if (!mayWriteTo(actor, point)) return sendNotYours(request, reply, point)
    if (!point.active)
      return sendPage(request, reply, 'citizen/contact-closed', { title: wordsFor(request)('contacts:closed'), point }, 404)
    if (point.formUrl !== null) return sendLink(request, reply, point, point.formUrl)
    return showWriting(request, reply, surroundings, writingTo(surroundings, actor, point))
  })

  scope.post('/write/:organisation/:point', { schema }, async (request, reply) => {
    const point = await findContactPoint(database, request.signedIn!.actor, request.params)
    return receiveNew(request, reply, surroundings, point, await readForm(request, limitsForPeople(config, point)))
  })
}

/** A point that is a form somewhere else. */
function sendLink(request: FastifyRequest, reply: FastifyReply, point: ContactPoint, formUrl: string) {
  const data = { title: point.name.en, section: 'write', point, formHost: new URL(formUrl).host } as const
  return sendPage(request, reply, 'citizen/contact-form-link', data)
}

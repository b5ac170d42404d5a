import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { v7 as newId } from 'uuid'
import type { Database } from '../../database/connect.ts'
import { acceptOne } from '../../delivery/accept.ts'
import { Problem } from '../../problems.ts'
import type { IdentifierKeys } from '../../registry/identifier.ts'
import { listOrganisations, listServices, type Service } from '../../registry/services.ts'
import { Slug } from '../address.ts'
import {
  checkDraft,
  type Draft,
  emptyDraft,
  endingsTaken,
  filesHint,
  limitsForPeople,
  readDocuments,
  readDraft,
  readForm,
  toFieldError,
} from '../form.ts'
import { type FieldError, sendPage } from '../page.ts'

/** To whom, about what, and then the message itself. */
export function writePages(app: FastifyInstance, database: Database, keys: IdentifierKeys, clock: () => Date): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()

  scope.get('/write', async (request, reply) => {
    const organisations = await listOrganisations(database)
    return sendPage(request, reply, 'citizen/organisations', {
      title: 'Who do you want to write to?',
      section: 'write',
      organisations,
    })
  })

  scope.get('/write/:organisation', { schema: { params: Type.Object({ organisation: Slug }) } }, async (request, reply) => {
    const { organisation } = request.params
    const services = await listServices(database, { organisationSlug: organisation })
    if (services.length === 0) throw new Problem('not-found')
    const name = services[0]!.organisationName
    return sendPage(request, reply, 'citizen/services', {
      title: `What do you want to write to ${name} about?`,
      section: 'write',
      organisation,
      services,
    })
  })

  const schema = { params: Type.Object({ organisation: Slug, service: Slug }) }
  scope.get('/write/:organisation/:service', { schema }, async (request, reply) =>
    sendForm(request, reply, await findService(database, request.params), emptyDraft()),
  )

  scope.post('/write/:organisation/:service', { schema }, async (request, reply) => {
    const form = await readForm(request, limitsForPeople)
    const draft = readDraft(form)
    const service = await findService(database, request.params)
    const { documents, errors: fileErrors } = readDocuments(form, limitsForPeople)
    const errors = [...checkDraft(draft, true), ...fileErrors]
    if (errors.length > 0) return sendForm(request, reply, service, draft, errors)
    const submission = {
      reference: draft.reference,
      serviceId: service.id,
      subject: draft.subject,
      content: [{ language: 'en', body: draft.text }],
      documents,
      reply: { allowed: true },
    }
    try {
      const { messageId } = await acceptOne(database, keys, request.signedIn!.actor, submission, clock())
      return reply.redirect(`/sent/${messageId}/confirmation`, 303)
    } catch (error) {
      return sendForm(request, reply, service, { ...draft, reference: newId() }, [toFieldError(error, documents)])
    }
  })
}

async function findService(database: Database, at: { organisation: string; service: string }): Promise<Service> {
  const [service] = await listServices(database, { organisationSlug: at.organisation, slugs: [at.service] })
  if (service === undefined) throw new Problem('not-found')
  return service
}

function sendForm(request: FastifyRequest, reply: FastifyReply, service: Service, draft: Draft, errors: FieldError[] = []) {
  return sendPage(
    request,
    reply,
    'citizen/write',
    {
      title: `Write to ${service.organisationName}`,
      section: 'write',
      service,
      draft,
      errors,
      filesHint: filesHint(limitsForPeople),
      endingsTaken,
    },
    errors.length > 0 ? 422 : 200,
  )
}

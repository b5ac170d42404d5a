import type { FastifyRequest } from 'fastify'
import { type Static, Type } from 'typebox'
import { MessageContact } from '../../delivery/message.ts'
import { StoredDocument, StoredFile } from '../../documents/document.ts'
import type { Letter } from '../../mailbox/letter.ts'
import { findIdentifiers } from '../../registry/find-identifiers.ts'
import { Identifier } from '../../registry/identifier.ts'
import { slugOf } from '../authenticate.ts'
import type { ApiOptions } from './door.ts'

const Time = Type.String({ format: 'date-time' })

const FileLink = Type.Object({
  ...StoredFile.properties,
  links: Type.Object({ self: Type.String({ description: 'Its bytes.' }) }),
})

/** A message that was written to a service, as its systems see it. */
export const InboxMessage = Type.Object({
  id: Type.String({ format: 'uuid' }),
  service: Type.String(),
  threadId: Type.String({ format: 'uuid' }),
  answers: Type.Union([Type.String({ format: 'uuid' }), Type.Null()], {
    description: 'The message of yours that this one answers.',
  }),
  sender: Type.Object({
    name: Type.String(),
    identifier: Type.Union([Identifier, Type.Null()], {
      description: 'By which the service knows who wrote; null where it does not.',
    }),
  }),
  contact: Type.Union([MessageContact, Type.Null()], {
    description: 'The contact point that it was written to; null for an answer.',
  }),
  writtenBy: Type.Union([Type.Object({ name: Type.String() }), Type.Null()], {
    description: 'Who wrote it for the sender: a helper, or one of a business’s people. Null where the sender wrote.',
  }),
  subject: Type.String(),
  content: Type.Array(
    Type.Object({ language: Type.String(), subject: Type.String(), body: Type.String({ description: 'Markdown.' }) }),
  ),
  documents: Type.Array(Type.Object({ ...StoredDocument.properties, files: Type.Array(FileLink) })),
  availableAt: Time,
  openedAt: Type.Union([Time, Type.Null()]),
  takenOverAt: Type.Union([Time, Type.Null()]),
  links: Type.Object({ self: Type.String(), receipt: Type.String() }),
})
export type InboxMessage = Static<typeof InboxMessage>

export async function toInboxMessages(
  { database, keys }: ApiOptions,
  request: FastifyRequest,
  letters: readonly Letter[],
): Promise<InboxMessage[]> {
  const pairs = letters.map(({ serviceId, senderPartyId }) => ({ serviceId, partyId: senderPartyId }))
  const identifiers = await findIdentifiers(database, keys, pairs)
  return letters.map((letter, index) => ({
    id: letter.id,
    service: slugOf(request, letter.serviceId),
    threadId: letter.threadId,
    answers: letter.answersId,
    sender: { name: letter.senderName, identifier: identifiers[index] ?? null },
    contact: letter.contact,
    writtenBy: letter.writtenByName === null ? null : { name: letter.writtenByName },
    subject: letter.subject,
    content: letter.content,
    documents: letter.documents.map((document) => ({
      ...document,
      files: document.files.map((file) => ({ ...file, links: { self: `/v1/inbox/${letter.id}/files/${file.id}` } })),
    })),
    availableAt: letter.availableAt.toISOString(),
    openedAt: letter.openedAt?.toISOString() ?? null,
    takenOverAt: letter.takenOverAt?.toISOString() ?? null,
    links: { self: `/v1/inbox/${letter.id}`, receipt: `/v1/inbox/${letter.id}/receipt` },
  }))
}

import { type Actor, servicesFor } from '../access/actor.ts'
import { requireRight } from '../access/rights.ts'
import type { Db } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { readWithin } from '../database/scope.ts'
import type { Shared } from '../documents/document.ts'
import { Problem } from '../problems.ts'
import type { Submission } from './message.ts'
import { type Upload, uploadColumns } from './upload.ts'

/** Throws `not-found`, the same for one of a service that the actor does not write for. */
export async function findUpload(db: Db, actor: Actor, id: string): Promise<Upload> {
  requireRight(actor, 'messages:write')
  const senders = [...(servicesFor(actor, 'messages:write') ?? [])]
  const [upload] = await readWithin<Upload>(
    db,
    { senders },
    db`select ${uploadColumns(db)} from upload where ${own(db, db`sender_id = any(${senders}::uuid[])`)} and id = ${id}`,
  )
  if (upload === undefined) throw new Problem('not-found')
  return upload
}

/**
 * What a service submits, with what is known of the uploads that it names: those of the same service, complete. Of others nothing is known. One query for all, and
 * none where nothing names one.
 */
export async function withUploads<Some extends Submission | Problem>(
  db: Db,
  actor: Actor,
  submissions: readonly Some[],
): Promise<(Some | Submission)[]> {
  // Whoever hands a letter on says themselves which uploads it has: a person has none of their own.
  const senders = actor.isOrganisation ? servicesFor(actor, 'messages:write') : undefined
  const ids = [...new Set(submissions.flatMap((one) => (one instanceof Problem ? [] : uploadsOf(one))))]
  if (senders === undefined || ids.length === 0) return [...submissions]
  const found = await readWithin<Shared>(
    db,
    { senders },
    db`
    select id, sender_id, media_type, size, sha256 from upload
    where ${own(db, db`sender_id = any(${senders as string[]}::uuid[])`)} and id = any(${ids}::uuid[]) and sha256 is not null`,
  )
  return submissions.map((one) => {
    if (one instanceof Problem) return one
    const ofService = found.filter(({ senderId }) => senderId === one.serviceId)
    return { ...one, uploads: new Map(ofService.map((upload) => [upload.id, upload])) }
  })
}

function uploadsOf({ documents }: Submission): string[] {
  return documents.flatMap(({ files }) => files.flatMap(({ upload }) => upload ?? []))
}

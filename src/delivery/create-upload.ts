import { v7 as newId } from 'uuid'
import { type Actor, servicesFor } from '../access/actor.ts'
import { requireRight } from '../access/rights.ts'
import type { Db } from '../database/connect.ts'
import { within } from '../database/scope.ts'
import { mediaTypes } from '../documents/document.ts'
import { Problem } from '../problems.ts'
import { type Upload, uploadColumns } from './upload.ts'

/** `sha256` in hexadecimal, lower case. */
export type NewUpload = { serviceId: string; mediaType: string; size: number; sha256?: string | undefined }
export type UploadLimits = { bytes: number; days: number }

const dayMs = 86_400_000

/**
 * Begins an upload. With its SHA-256, safe to try again: the same document of the same service is the same upload, as far as that has come, and
 * is kept as long as a new one. Without, a try too many leaves one that nobody uses, and that goes by itself. Throws `service-not-found`,
 * `file-type-not-allowed`, `upload-too-large`.
 */
export async function createUpload(
  db: Db,
  actor: Actor,
  { serviceId, mediaType, size, sha256 }: NewUpload,
  limits: UploadLimits,
  now: Date,
): Promise<{ upload: Upload; isNew: boolean }> {
  requireRight(actor, 'messages:write')
  if (!servicesFor(actor, 'messages:write')?.includes(serviceId)) throw new Problem('service-not-found')
  if (!Object.hasOwn(mediaTypes, mediaType)) throw new Problem('file-type-not-allowed')
  if (size > limits.bytes) throw new Problem('upload-too-large')
  const id = newId({ msecs: now.getTime() })
  const expiresAt = new Date(now.getTime() + limits.days * dayMs)
  const [upload] = await within(
    db,
    { senders: [serviceId] },
    (sql) => sql<Upload[]>`
    insert into upload (sender_id, id, media_type, size, declared_sha256, expires_at)
    values (${serviceId}, ${id}, ${mediaType}, ${size}, ${sha256 ?? null}, ${expiresAt})
    on conflict (sender_id, declared_sha256, media_type, size) where declared_sha256 is not null
    do update set expires_at = greatest(upload.expires_at, excluded.expires_at)
    returning ${uploadColumns(sql)}`,
  )
  return { upload: upload!, isNew: upload!.id === id }
}

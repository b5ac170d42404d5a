import type { Db, Fragment } from '../database/connect.ts'

/** A document that a service sends ahead of its letters. */
export type Upload = {
  id: string
  senderId: string
  mediaType: string
  size: number
  declaredSha256: string | null
  /** How many of its bytes are there. */
  received: number
  /** Once it is complete and was checked. */
  sha256: string | null
  expiresAt: Date
}

export function uploadColumns(db: Db): Fragment {
  return db`id, sender_id, media_type, size, declared_sha256, received, sha256, expires_at`
}

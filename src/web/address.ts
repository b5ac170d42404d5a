import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'

const Id = Type.String({ format: 'uuid' })
export const LetterParams = Type.Object({ id: Id })
export const FileParams = Type.Object({ id: Id, fileId: Id })
export const Slug = Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,62}$' })

/** Where `?to=` leads on to: only ever a page of our own. */
export function localPath(request: FastifyRequest, otherwise: string): string {
  const { to } = request.query as { to?: unknown }
  const isLocal = typeof to === 'string' && to.length <= 500 && /^\/[\x21-\x7e]*$/.test(to) && !/\\|\/\//.test(to)
  return isLocal ? to : otherwise
}

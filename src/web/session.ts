import type { Actor } from '../access/actor.ts'

/** Who is signed in, as a page needs to know it. */
export type SignedIn = {
  role: 'person' | 'staff'
  actor: Actor
  /** Of the person, or of the member of staff. */
  name: string
  /** Of the public body, for staff. */
  organisationName: string | undefined
  /** Goes into every form, as the field `csrf`. */
  csrfToken: string
}

declare module 'fastify' {
  interface FastifyRequest {
    signedIn: SignedIn | undefined
  }
}

import type { FastifyRequest, onRequestAsyncHookHandler } from 'fastify'
import { narrowTo } from '../access/actor.ts'
import { type Right, requireRight } from '../access/rights.ts'
import { Problem } from '../problems.ts'
import type { SystemCaller } from '../sign-in/system-tokens.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Set on every route of the API, before anything of the body is read. */
    caller: SystemCaller
  }
  interface FastifyContextConfig {
    /** What a token must hold, for the API's description. */
    right?: Right
  }
}

export type TokenCheck = (authorization: string | undefined, requestId: string, now: Date) => Promise<SystemCaller>

/** A hook that lets a request pass only with a valid token that holds the right. */
export function authenticate(checkToken: TokenCheck, clock: () => Date, right: Right): onRequestAsyncHookHandler {
  return async (request) => {
    request.caller = await checkToken(request.headers.authorization, request.id, clock())
    requireRight(request.caller.actor, right)
  }
}

/**
 * The id of the service that the caller means: the one it names, or its only one. Throws `service-not-found`, the same for
 * one that does not exist and one of somebody else's, or `service-needed`.
 */
export function chooseService({ caller }: FastifyRequest, slug: string | undefined): string {
  const ids = Object.values(caller.services)
  if (slug === undefined && ids.length !== 1) throw new Problem('service-needed')
  const id = slug === undefined ? ids[0] : Object.hasOwn(caller.services, slug) ? caller.services[slug] : undefined
  if (id === undefined) throw new Problem('service-not-found')
  return id
}

/** The caller's actor, limited to one service where the request names one. */
export function actorFor(request: FastifyRequest, slug: string | undefined) {
  const { actor } = request.caller
  return slug === undefined ? actor : narrowTo(actor, [chooseService(request, slug)])
}

export function slugOf({ caller }: FastifyRequest, serviceId: string): string {
  return Object.entries(caller.services).find(([, id]) => id === serviceId)?.[0] ?? ''
}

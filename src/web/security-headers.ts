import type { FastifyInstance, FastifyRequest } from 'fastify'

export type SecurityHeadersOptions = {
  /** Where people reach this installation: with https, browsers are told never to come without it. */
  baseUrl: string
  /** Origins that a form's answer may redirect to (Chromium applies form-action there too): the sign-in providers', for signing out. */
  formOrigins: readonly string[]
}

function securityHeaders({ baseUrl, formOrigins }: SecurityHeadersOptions): Record<string, string> {
  const policy = {
    'default-src': "'none'",
    'style-src': "'self'",
    'script-src': "'self'",
    'connect-src': "'self'",
    'img-src': "'self'",
    'font-src': "'self'",
    'form-action': ["'self'", ...formOrigins].join(' '),
    'frame-ancestors': "'none'",
    'base-uri': "'none'",
  }
  return {
    'content-security-policy': toPolicy(policy),
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
    ...(baseUrl.startsWith('https:') ? { 'strict-transport-security': 'max-age=63072000; includeSubDomains' } : {}),
  }
}

/** A Content-Security-Policy from its directives. */
export function toPolicy(directives: Record<string, string>): string {
  return Object.entries(directives)
    .map(([name, value]) => `${name} ${value}`.trim())
    .join('; ')
}

/** For systems, which show nothing: that nobody keeps or guesses at what they get. */
const forSystems = { 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' }

/** Sets them on every answer; a route may replace one, as that for files does. */
export function setSecurityHeaders(
  app: FastifyInstance,
  isForSystems: (request: FastifyRequest) => boolean,
  options: SecurityHeadersOptions,
): void {
  const forPages = securityHeaders(options)
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers(isForSystems(request) ? forSystems : forPages)
    done()
  })
}

import type { FastifyRequest } from 'fastify'

/** Thrown where another site asks for a file. */
export class OtherSiteError extends Error {
  readonly statusCode = 403
}

/** A file of somebody’s post is asked for from our own pages only. */
export function refuseOtherSites(request: FastifyRequest): void {
  const site = request.headers['sec-fetch-site']
  if (site === 'cross-site') throw new OtherSiteError()
}

/** RFC 6266: a plain name for old browsers, and the true one as RFC 8187 writes it. */
export function disposition(kind: 'inline' | 'attachment', filename: string): string {
  const plain = filename.replace(/[^ -~]|["\\%]/g, '_')
  const encoded = encodeURIComponent(filename).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
  return `${kind}; filename="${plain}"; filename*=UTF-8''${encoded}`
}

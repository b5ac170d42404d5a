import path from 'node:path'
import type { FastifyReply, FastifyRequest } from 'fastify'
import nunjucks from 'nunjucks'

const templates = new nunjucks.Environment(
  new nunjucks.FileSystemLoader([import.meta.dirname, path.join(import.meta.dirname, '../../node_modules/govuk-frontend/dist')]),
  { autoescape: true, throwOnUndefined: false },
)

export type PageData = { title: string } & Record<string, unknown>

/** Answers with the page made from `src/web/<template>.njk`. Everything in `data` is shown as text, unless a template says otherwise. */
export function sendPage(
  request: FastifyRequest,
  reply: FastifyReply,
  template: string,
  data: PageData,
  status = 200,
): FastifyReply {
  const html = templates.render(`${template}.njk`, { ...data, signedIn: request.signedIn })
  return reply.code(status).type('text/html; charset=utf-8').header('cache-control', 'no-store').send(html)
}

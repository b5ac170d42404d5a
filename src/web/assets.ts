import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import type { FastifyInstance } from 'fastify'
import { pdfjsVersion, registerPdfAssets } from './pdf-assets.ts'

const govukFrontend = path.join(import.meta.dirname, '../../node_modules/govuk-frontend/dist/govuk')
const read = (folder: string, name: string) => readFileSync(path.join(folder, name), 'utf8')
const ours = (name: string) => read(path.join(import.meta.dirname, 'assets'), name)

/** GDS Transport is licensed for GOV.UK only; every machine has one of these. */
const fonts = 'system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Helvetica Neue",Arial,sans-serif'

/** In this order. */
const stylesheets = [
  'post.css',
  'reading.css',
  'mailbox.css',
  'actions.css',
  'write.css',
  'details.css',
  'search.css',
  'waiting.css',
  // These say all of the colours, or hide what is not for paper, and come last.
  'dark.css',
  'print.css',
]

function stylesheet(): string {
  const govuk = read(govukFrontend, 'govuk-frontend.min.css')
    .replaceAll(/@font-face\{[^}]*\}/g, '')
    .replaceAll('GDS Transport,arial,sans-serif', fonts)
    .replaceAll('url(/assets/images/govuk-crest.svg)', 'none')
    .replaceAll(/\/\*! Copyright \(c\) 2011.*?\*\//g, '')
    .replace(/\/\*# sourceMappingURL.*?\*\//, '')
  return [govuk, ...stylesheets.map(ours)].join('\n')
}

const assets: Record<string, { type: string; body: string }> = {
  'post.css': { type: 'text/css; charset=utf-8', body: stylesheet() },
  'pdf-viewer.js': { type: 'text/javascript; charset=utf-8', body: ours('pdf-viewer.js') },
  'print.js': { type: 'text/javascript; charset=utf-8', body: ours('print.js') },
  'start.js': { type: 'text/javascript; charset=utf-8', body: ours('start.js') },
  'mailbox.js': { type: 'text/javascript; charset=utf-8', body: ours('mailbox.js') },
  'live.js': { type: 'text/javascript; charset=utf-8', body: ours('live.js') },
  'write.js': { type: 'text/javascript; charset=utf-8', body: ours('write.js') },
  'progress.js': { type: 'text/javascript; charset=utf-8', body: ours('progress.js') },
  'search.js': { type: 'text/javascript; charset=utf-8', body: ours('search.js') },
  'govuk-frontend.js': {
    type: 'text/javascript; charset=utf-8',
    body: read(govukFrontend, 'govuk-frontend.min.js').replace(/\/\/# sourceMappingURL.*/, ''),
  },
  ...Object.fromEntries(
    ['inbox', 'to-do', 'search', 'write', 'more'].map((name) => [
      `icons/${name}.svg`,
      { type: 'image/svg+xml', body: ours(`icons/${name}.svg`) },
    ]),
  ),
  'favicon.svg': { type: 'image/svg+xml', body: ours('favicon.svg') },
}

const hash = createHash('sha256').update(pdfjsVersion)
for (const { body } of Object.values(assets)) hash.update(body)

/** Where they are. The address changes with their content, so that browsers may keep them for ever. */
export const assetPath = `/assets/${hash.digest('hex').slice(0, 12)}`

/** Serves what pages load, from memory. */
export function registerAssets(app: FastifyInstance): void {
  registerPdfAssets(app, assetPath)
  for (const [name, { type, body }] of Object.entries(assets)) {
    const plain = Buffer.from(body)
    const zipped = gzipSync(plain)
    app.get(`${assetPath}/${name}`, { logLevel: 'warn' }, (request, reply) => {
      reply.headers({ 'content-type': type, 'cache-control': 'public, max-age=31536000, immutable', vary: 'accept-encoding' })
      const takesZipped = /\bgzip\b/.test(request.headers['accept-encoding'] ?? '')
      return takesZipped ? reply.header('content-encoding', 'gzip').send(zipped) : reply.send(plain)
    })
  }
}

import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import type { FastifyInstance } from 'fastify'

const pdfjs = path.join(import.meta.dirname, '../../node_modules/pdfjs-dist')

/** In the address of all that pages load: another version is at another address. */
export const pdfjsVersion = (JSON.parse(readFileSync(path.join(pdfjs, 'package.json'), 'utf8')) as { version: string }).version

/** For browsers of some years ago too. */
const scripts = ['pdf.min.mjs', 'pdf.worker.min.mjs']
/** Tables of characters, letters that every PDF may take for granted, and the reader of JPEG 2000 that is no WebAssembly. */
const folders = { cmaps: /\.bcmap$/, standard_fonts: /\.(pfb|ttf)$/, wasm: /\.js$/ }

type Served = { type: string; plain: Buffer; zipped: Buffer }

/** Serves pdf.js and what it loads. Each file is read and compressed when it is first asked for: few installations need them all. */
export function registerPdfAssets(app: FastifyInstance, assetPath: string): void {
  const files = new Map(scripts.map((name) => [name, path.join(pdfjs, 'legacy/build', name)]))
  for (const [folder, ending] of Object.entries(folders)) {
    for (const name of readdirSync(path.join(pdfjs, folder)).filter((each) => ending.test(each))) {
      files.set(`${folder}/${name}`, path.join(pdfjs, folder, name))
    }
  }
  const served = new Map<string, Served>()
  app.get(`${assetPath}/pdf/*`, { logLevel: 'warn' }, (request, reply) => {
    const name = (request.params as { '*': string })['*']
    const file = files.get(name)
    if (file === undefined) return reply.callNotFound()
    const { type, plain, zipped } = served.get(name) ?? read(file)
    served.set(name, { type, plain, zipped })
    reply.headers({ 'content-type': type, 'cache-control': 'public, max-age=31536000, immutable', vary: 'accept-encoding' })
    const takesZipped = /\bgzip\b/.test(request.headers['accept-encoding'] ?? '')
    return takesZipped ? reply.header('content-encoding', 'gzip').send(zipped) : reply.send(plain)
  })
}

function read(file: string): Served {
  const plain = readFileSync(file)
  const type = /\.m?js$/.test(file) ? 'text/javascript; charset=utf-8' : 'application/octet-stream'
  return { type, plain, zipped: gzipSync(plain) }
}

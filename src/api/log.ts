import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Database } from '../database/connect.ts'
import { type Attestors, publicKeysOf } from '../evidence/attestors.ts'
import type { EvidenceKeys } from '../evidence/keys.ts'
import { readCheckpoint, readLogFile, readOrigin } from '../evidence/read-log.ts'
import { EvidenceRecord } from '../evidence/record.ts'
import { parseTilePath } from '../evidence/tile.ts'
import { trustedKeysOf } from '../evidence/trusted-keys.ts'
import { Problem } from '../problems.ts'

export type LogOptions = {
  database: Database
  keys: EvidenceKeys
  attestors: Attestors
  /** What the log will be called, as long as nothing is in it. */
  origin: string
}

const inText = 'text/plain; charset=utf-8'

/**
 * The log of evidence, for everybody: nothing in it is about anybody. Not in the OpenAPI, as these are files by a specification of
 * others (c2sp.org/tlog-tiles), which their tools read.
 */
export function registerLog(app: FastifyInstance, { database, keys, attestors, origin }: LogOptions): void {
  app.register(async (door) => {
    door.addHook('onRequest', (_request, reply, done) => {
      // For a verifier in somebody's browser.
      reply.headers({ 'access-control-allow-origin': '*', 'cache-control': 'no-cache' })
      done()
    })

    door.get('/log/checkpoint', async (_request, reply) => {
      const note = await readCheckpoint(database)
      if (note === undefined) throw new Problem('not-found')
      return reply.type(inText).send(note)
    })

    door.get('/log/tile/*', async (request, reply) => {
      const path = parseTilePath(pathOf(request))
      const bytes = path && (await readLogFile(database, path))
      if (bytes === undefined) throw new Problem('not-found')
      reply.header('cache-control', 'public, max-age=31536000, immutable')
      return reply.type('application/octet-stream').send(bytes)
    })

    door.get('/log/keys.json', async (_request, reply) => {
      const name = (await readOrigin(database)) ?? origin
      return sendJson(reply, { origin: name, ...trustedKeysOf(keys, name, await publicKeysOf(database, attestors)) })
    })

    const schema = { $schema: 'https://json-schema.org/draft/2020-12/schema', title: 'Evidence record', ...EvidenceRecord }
    door.get('/log/record-schema.json', async (_request, reply) => sendJson(reply, schema))
  })
}

/** As it was written: one file has one address. */
function pathOf({ raw }: FastifyRequest): string {
  return raw.url!.split('?', 1)[0]!.slice('/log/'.length)
}

function sendJson(reply: FastifyReply, content: object): FastifyReply {
  return reply.type('application/json; charset=utf-8').send(`${JSON.stringify(content, null, 2)}\n`)
}

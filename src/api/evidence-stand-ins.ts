import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Config } from '../config.ts'
import type { Database } from '../database/connect.ts'
import type { EvidenceKeys } from '../evidence/keys.ts'
import { timeStampBytesMax } from '../evidence/time-stamp.ts'
import { type AuthorityInDemo, answerAsAuthority } from '../evidence/time-stamp-stand-in.ts'
import { addCheckpointBytesMax } from '../evidence/witness.ts'
import { answerAsWitness } from '../evidence/witness-stand-in.ts'

export type EvidenceStandInOptions = {
  config: Config
  database: Database
  keys: EvidenceKeys
  authority: AuthorityInDemo
  clock: () => Date
}

const bytesOf = ({ body }: FastifyRequest) => (body instanceof Buffer ? body : Buffer.alloc(0))

/**
 * A witness and a time-stamp authority that are nobody else but ourselves, where none are configured: the real protocols, and no proof of
 * anything. In demo only: elsewhere this throws.
 */
export function registerEvidenceStandIns(app: FastifyInstance, options: EvidenceStandInOptions): void {
  const { config, database, keys, authority, clock } = options
  if (!config.demo) throw new Error('stand-ins for witnesses and time-stamp authorities exist in demo only')
  const { witnesses, timeStamp } = config.evidence
  app.register(async (door) => {
    door.removeAllContentTypeParsers()
    door.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))

    if (witnesses.some(({ key }) => key === undefined)) {
      door.post('/demo/witness/add-checkpoint', { bodyLimit: addCheckpointBytesMax }, async (request, reply) => {
        const answer = await answerAsWitness(database, { secretKey: config.secretKey, keys }, bytesOf(request), clock())
        return reply.code(answer.status).type(answer.contentType).send(answer.body)
      })
    }

    if (timeStamp?.certificates.length === 0) {
      door.post('/demo/time-stamp', { bodyLimit: timeStampBytesMax }, async (request, reply) => {
        const answer = await answerAsAuthority(database, authority, bytesOf(request), clock())
        return reply.type('application/timestamp-reply').send(Buffer.from(answer))
      })
    }
  })
}

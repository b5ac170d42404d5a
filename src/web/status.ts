import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import type { Database } from '../database/connect.ts'
import { describeError } from '../database/describe-error.ts'
import type { Attestors } from '../evidence/attestors.ts'
import type { MakeReceipt } from '../evidence/make-receipt.ts'
import type { Missing } from '../evidence/missing.ts'
import { whyInterrupted } from '../evidence/note-alive.ts'
import { outageEvidence, readStatus, type Status } from '../evidence/read-status.ts'
import { lengthInWords } from './dates.ts'
import { sendPage } from './page.ts'
import { languageOf, type Translate, wordsFor } from './words.ts'

/** The program notes every ten seconds that it works. */
const silentMs = 60_000
const Id = Type.String({ format: 'uuid' })

export type StatusOptions = { database: Database; attestors: Attestors; makeReceipt: MakeReceipt; clock: () => Date }

/** How the installation is and was, for everybody: whether it works, its log, and its outages with their proof. */
export function registerStatus(app: FastifyInstance, { database, attestors, makeReceipt, clock }: StatusOptions): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()
  const { witnesses, timeStamp } = attestors

  scope.get('/status', async (request, reply) => {
    const now = clock()
    const t = wordsFor(request)
    const data = { title: t('status:title'), witnesses: witnesses.length, hasTimeStamps: timeStamp !== undefined, at: now }
    let status: Status
    try {
      status = await readStatus(database, now)
    } catch (error) {
      request.log.error(describeError(error), 'failed')
      return sendPage(request, reply, 'status', { ...data, state: 'down' }, 503)
    }
    const isSilent = status.aliveAt !== null && now.getTime() - status.aliveAt.getTime() > silentMs
    const outages = status.outages.map((outage) => ({
      ...outage,
      length: lengthInWords(outage.beganAt, outage.endedAt, languageOf(request)),
      why: outage.why === whyInterrupted ? t('status:did-not-run') : outage.why,
    }))
    const missing = missingInWords(status.wanting?.missing ?? [], t)
    return sendPage(request, reply, 'status', { ...data, ...status, outages, missing, state: isSilent ? 'silent' : 'up' })
  })

  const Params = Type.Object({ id: Id, evidenceId: Id })
  scope.get('/status/outages/:id/:evidenceId', { schema: { params: Params } }, async (request, reply) => {
    const { id, evidenceId } = request.params
    const receipt = await makeReceipt(database, outageEvidence(database, id), evidenceId, clock())
    return reply
      .type('application/octet-stream')
      .header('content-disposition', `attachment; filename="${evidenceId}.tlog-proof"`)
      .send(receipt)
  })
}

/** `english`: of what only a sentence was written down, and why a time stamp is wrong. */
function missingInWords(missing: Missing[] | string, t: Translate): { words?: string; english?: string }[] {
  if (typeof missing === 'string') return [{ english: missing }]
  return missing.map((one) => ({
    words: t(`status:missing-because.${one.code}`, one),
    ...(one.code === 'stamp-wrong' && { english: one.why }),
  }))
}

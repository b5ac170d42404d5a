import type { FastifyReply, FastifyRequest } from 'fastify'
import { Problem } from '../../problems.ts'
import { type PartyRecord, readRecord } from '../../registry/read-record.ts'
import { type Surroundings, sendPage } from '../page.ts'
import { wordsFor } from '../words.ts'

/** Undefined where the viewing is over, or was never this registrar's. */
export async function openRecord(
  request: FastifyRequest,
  { database, clock }: Surroundings,
  viewId: string,
): Promise<PartyRecord | undefined> {
  try {
    return await readRecord(database, request.signedIn!.actor, viewId, clock())
  } catch (error) {
    if (error instanceof Problem && error.code === 'not-found') return undefined
    throw error
  }
}

export function showEnded(request: FastifyRequest, reply: FastifyReply) {
  const title = wordsFor(request)('register-form:ended.title')
  return sendPage(request, reply, 'registrar/ended', { title, section: 'records' }, 404)
}

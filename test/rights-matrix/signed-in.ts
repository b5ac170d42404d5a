import { createHash } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { endGrant } from '../../src/access/end-grant.ts'
import type { Database } from '../../src/database/connect.ts'
import { deriveSessionKeys, formToken, openMailbox, startSession } from '../../src/sign-in/session.ts'
import { type Caller, callers, persons, registrars, staff, systems } from './callers.ts'
import type { Grants } from './grants.ts'
import type { Parties } from './parties.ts'

/** How a caller shows who they are, and what their own forms carry. */
export type SignedIn = {
  headersOf: (caller: Caller) => Record<string, string>
  formTokenOf: (caller: Caller) => string
  /** Whoever has lost their access is in their own mailbox after the first click: back to the moment before that. */
  reopen: (caller: Caller) => Promise<void>
}

type Building = { database: Database; owner: Database; secretKey: Buffer; now: Date }
type Identity = { headers: Record<string, string>; formToken: string; reopen?: () => Promise<void> }

export async function signInAll(app: FastifyInstance, building: Building, parties: Parties, { open }: Grants): Promise<SignedIn> {
  const { database, owner, secretKey, now } = building
  const keys = deriveSessionKeys(secretKey)
  const identities = new Map<Caller, Identity>(callers.map((caller) => [caller, { headers: {}, formToken: 'none' }]))

  const start = async (caller: Caller, cookie: string, sessionOf: Parameters<typeof startSession>[2]['owner']) => {
    const opening = open[caller as keyof typeof open]
    const { grantId, viaGrantId } = opening ?? {}
    const session = { owner: sessionOf, subject: caller, idToken: 'none', replaces: undefined }
    const token = await startSession(database, keys, session, now)
    await openMailbox(database, token, opening, now)
    const idHash = createHash('sha256').update(token).digest()
    identities.set(caller, {
      headers: { cookie: `${cookie}=${token}` },
      formToken: formToken(keys, token, grantId),
      reopen: async () =>
        void (await owner`
        update session set grant_id = ${grantId ?? null}, via_grant_id = ${viaGrantId ?? null} where id_hash = ${idHash}`),
    })
  }
  for (const name of persons) await start(name, 'digital-post', { partyId: parties.people[name].partyId })
  for (const name of staff) await start(name, 'digital-post-staff', { staffId: parties.staffIds[name] })
  for (const name of registrars) await start(name, 'digital-post-registrar', { registrarId: parties.registrars[name].by.id })
  for (const name of systems) {
    const headers = { authorization: `Bearer ${await takeToken(app, name)}` }
    identities.set(name, { headers, formToken: 'none' })
  }
  await endGrant(database, parties.people.rosa, { grantId: open.ended!.grantId }, now)
  await endGrant(database, parties.people.leaver, { grantId: open.leaver!.viaGrantId! }, now)
  return {
    headersOf: (caller) => identities.get(caller)!.headers,
    formTokenOf: (caller) => identities.get(caller)!.formToken,
    reopen: async (caller) => identities.get(caller)!.reopen?.(),
  }
}

async function takeToken(app: FastifyInstance, client: string): Promise<string> {
  const authorization = `Basic ${Buffer.from(`${client}:${client}-secret`).toString('base64')}`
  const headers = { authorization, 'content-type': 'application/x-www-form-urlencoded' }
  const answer = await app.inject({ method: 'POST', url: '/oauth/token', headers, payload: 'grant_type=client_credentials' })
  if (answer.statusCode !== 200) throw new Error(`no token: ${answer.body}`)
  return answer.json().access_token
}

import { createHash } from 'node:crypto'
import { v7 as newId } from 'uuid'
import type { Db } from '../database/connect.ts'
import { within } from '../database/scope.ts'
import { hashIdentifier, type Identifier, type IdentifierKeys, sealIdentifier } from './identifier.ts'
import { confirmMinutes, hashSecret, type LinkState, minutesAfter, newSecret, nextState, type Refused } from './link-request.ts'

/** What a service has said, its signature checked: this identifier is who the browser belongs to. */
export type LinkStatement = {
  serviceId: string
  issuer: string
  /** The token's own id. It counts once. */
  tokenId: string
  tokenEndsAt: Date
  identifier: Identifier
  /** Of the request that it answers; undefined in an offer. */
  nonce: string | undefined
}

/**
 * Keeps what a service has said until the person confirms it. Nobody is asked who is signed in: the browser comes from
 * another site, without our cookie. Answers a code, to be handed to that browser alone: who has begun the request does not
 * learn it, so a request that was begun in one person's mailbox and finished by another ends there.
 */
export async function receiveLinkStatement(
  db: Db,
  keys: IdentifierKeys,
  statement: LinkStatement,
  now: Date,
): Promise<{ code: string } | Refused> {
  return within(db, { purpose: 'linking' }, async (sql) => {
    const request = statement.nonce === undefined ? undefined : await findRequest(sql, statement.nonce)
    if (statement.nonce !== undefined && request?.serviceId !== statement.serviceId) return { refused: 'nonce' }
    if (!(await useToken(sql, statement))) return { refused: 'used' }
    const { secret: code, hash } = newSecret()
    const { serviceId, identifier } = statement
    const what = {
      scheme: identifier.scheme,
      valueHash: hashIdentifier(keys, serviceId, identifier),
      valueSealed: sealIdentifier(keys, serviceId, identifier.value.trim()),
    }
    const expiresAt = minutesAfter(now, confirmMinutes)
    if (request === undefined) {
      await sql`
        insert into link_request (id, service_id, kind, state, code_hash, scheme, value_hash, value_sealed, created_at, expires_at)
        values (${newId()}, ${serviceId}, 'offer', 'answered', ${hash}, ${what.scheme}, ${what.valueHash}, ${what.valueSealed}, ${now}, ${expiresAt})`
      return { code }
    }
    const state = nextState(request.state, 'answer')
    if (state === undefined) return { refused: 'used' }
    if (request.expiresAt <= now) return { refused: 'old' }
    await sql`
      update link_request set state = ${state}, code_hash = ${hash}, scheme = ${what.scheme}, value_hash = ${what.valueHash},
        value_sealed = ${what.valueSealed}, expires_at = ${expiresAt}
      where id = ${request.id}`
    return { code }
  })
}

async function findRequest(db: Db, nonce: string) {
  const [request] = await db<{ id: string; serviceId: string; state: LinkState; expiresAt: Date }[]>`
    select id, service_id, state, expires_at from link_request where nonce_hash = ${hashSecret(nonce)} for update`
  return request
}

/** Whether it is the first time. */
async function useToken(db: Db, { issuer, tokenId, tokenEndsAt }: LinkStatement): Promise<boolean> {
  const id = createHash('sha256')
    .update(JSON.stringify(['service link', issuer, tokenId]))
    .digest()
  return within(db, { purpose: 'sign-in' }, async (sql) => {
    const { count } = await sql`
      insert into used_token (id_hash, expires_at) values (${id}, ${tokenEndsAt}) on conflict do nothing`
    return count === 1
  })
}

import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type JWTPayload, jwtVerify } from 'jose'
import Provider, { type Adapter, type AdapterPayload, errors } from 'oidc-provider'
import type { Actor } from '../access/actor.ts'
import { isScope, rightsOf, scopes } from '../access/rights.ts'
import type { Config } from '../config.ts'
import type { Database } from '../database/connect.ts'
import { readWithin, within } from '../database/scope.ts'
import { Problem } from '../problems.ts'
import type { ClientWatch } from '../registry/client-watch.ts'
import { findClient, noteClientUse } from '../registry/find-client.ts'
import { deriveKey } from '../seal.ts'

/** Short, as a token is believed without asking the database: see registry/client-watch.ts for what ends it sooner. */
const tokenLifetimeSeconds = 600
const algorithm = 'EdDSA'

/** A system that has shown a valid access token. `services`: those it acts for, slug to id. */
export type SystemCaller = { actor: Actor; clientId: string; services: Record<string, string> }

/**
 * The token endpoint for systems: client credentials (RFC 6749 section 4.4), the client proving itself by private_key_jwt
 * (RFC 7523), and in demo by a secret over HTTP Basic too. The answer is a Node request handler.
 */
export function buildTokenProvider(
  config: Config,
  database: Database,
  clock: () => Date,
): (request: IncomingMessage, response: ServerResponse) => void {
  const provider = new Provider(config.baseUrl, {
    adapter: (model) => adapter(model, config, database, clock),
    jwks: { keys: [{ ...signingKey(config.secretKey).export({ format: 'jwk' }), alg: algorithm, use: 'sig' } as never] },
    routes: { token: '/oauth/token', jwks: '/oauth/jwks.json' },
    scopes,
    responseTypes: [],
    clientAuthMethods: config.demo ? ['private_key_jwt', 'client_secret_basic'] : ['private_key_jwt'],
    enabledJWA: { idTokenSigningAlgValues: [algorithm], clientAuthSigningAlgValues: ['RS256', 'PS256', 'ES256', 'EdDSA'] },
    clientDefaults: {
      grant_types: ['client_credentials'],
      response_types: [],
      redirect_uris: [],
      id_token_signed_response_alg: algorithm,
    },
    features: {
      devInteractions: { enabled: false },
      userinfo: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => config.baseUrl,
        getResourceServerInfo: (ctx, _resource, client) => {
          // A client that names no scope gets all that it may have; the provider would pass over a scope that nobody knows.
          const asked = String(ctx.oidc.params!.scope || client.scope)
          const mayHave = new Set(client.scope?.split(' '))
          if (asked.split(' ').some((scope) => !mayHave.has(scope)))
            throw new errors.InvalidScope('scope not allowed for this client', asked)
          ctx.oidc.params!.scope = asked
          return {
            scope: scopes.join(' '),
            audience: config.baseUrl,
            accessTokenTTL: tokenLifetimeSeconds,
            accessTokenFormat: 'jwt',
            jwt: { sign: { alg: algorithm } },
          }
        },
      },
    },
    extraTokenClaims: async (_ctx, token) => {
      const client = await findClient(database, token.clientId!, clock())
      // Switched off in this moment.
      if (client === undefined) throw new errors.InvalidClient('client is invalid', 'client not found')
      await noteClientUse(database, client, clock())
      const { partyId, mailboxId, services, version } = client
      return { party: partyId, mailbox: mailboxId, services, version }
    },
    ttl: { ClientCredentials: tokenLifetimeSeconds },
    findAccount: () => undefined,
  })
  provider.proxy = config.trustProxy
  const handle = provider.callback()
  const { host } = new URL(config.baseUrl)
  return (request, response) => {
    // The audience of a client's assertion is this installation by its public name, whichever way the request came.
    request.headers.host = host
    void handle(request, response)
  }
}

/** Clients come from the registry; used assertions are remembered in the database. Tokens are signed and never stored. */
function adapter(model: string, config: Config, database: Database, clock: () => Date): Adapter {
  const forgets = async () => undefined
  return {
    find: async (id) => {
      if (model === 'Client') return findClientMetadata(id, config, database, clock())
      if (model !== 'ReplayDetection') return undefined
      const used = database`select 1 as used from used_token where id_hash = ${hashOf(id)}`
      const [row] = await readWithin(database, { purpose: 'sign-in' }, used)
      return row && ({ jti: id } as AdapterPayload)
    },
    upsert: async (id, _payload, expiresInSeconds = tokenLifetimeSeconds) => {
      if (model !== 'ReplayDetection') return
      const { count } = await within(
        database,
        { purpose: 'sign-in' },
        (sql) => sql`
        insert into used_token (id_hash, expires_at) values (${hashOf(id)}, now() + make_interval(secs => ${expiresInSeconds}))
        on conflict do nothing`,
      )
      if (count === 0) throw new errors.InvalidClientAuth('client assertion tokens must only be used once')
    },
    consume: forgets,
    destroy: forgets,
    revokeByGrantId: forgets,
    findByUid: forgets,
    findByUserCode: forgets,
  }
}

const hashOf = (id: string) => createHash('sha256').update(`client assertion ${id}`).digest()

async function findClientMetadata(
  id: string,
  config: Config,
  database: Database,
  now: Date,
): Promise<AdapterPayload | undefined> {
  const client = await findClient(database, id, now)
  if (client === undefined) return undefined
  const { keys, demoSecret } = client
  const scope = client.scopes.filter(isScope).join(' ')
  if (keys.length > 0) {
    return { client_id: id, token_endpoint_auth_method: 'private_key_jwt', jwks: { keys } as never, scope }
  }
  if (!config.demo || demoSecret === null) return undefined
  return { client_id: id, token_endpoint_auth_method: 'client_secret_basic', client_secret: demoSecret, scope }
}

/** Ed25519, from the installation's secret key: every process signs and checks with the same one. */
function signingKey(secretKey: Buffer): KeyObject {
  const seed = deriveKey(secretKey, 'access tokens')
  const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
  return createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })
}

type TokenClaims = JWTPayload & {
  client_id: string
  scope?: string
  party: string
  mailbox: string
  services: Record<string, string>
  version?: number
}
/** Tokens seen, by their text: a signature need not be checked again for each of a sender's thousand letters. */
const verifiedTokensMax = 1_000

/** Checks access tokens without a query. Throws `token-missing` or `token-invalid`. */
export function buildTokenCheck(
  config: Config,
  clients: ClientWatch,
): (authorization: string | undefined, requestId: string, now: Date) => Promise<SystemCaller> {
  const key = createPublicKey(signingKey(config.secretKey))
  const verified = new Map<string, { caller: SystemCaller; version: number; endsAtMs: number }>()
  return async (authorization, requestId, now) => {
    const token = /^Bearer +([\w.-]+)$/i.exec(authorization ?? '')?.[1]
    if (token === undefined) throw new Problem('token-missing')
    let known = verified.get(token)
    if (known === undefined) {
      const claims = await verify(token, key, config.baseUrl, now)
      known = { caller: toCaller(claims), version: claims.version ?? 0, endsAtMs: claims.exp! * 1000 }
      if (verified.size >= verifiedTokensMax) verified.delete(verified.keys().next().value!)
      verified.set(token, known)
    }
    if (known.endsAtMs <= now.getTime()) throw new Problem('token-invalid')
    if (!(await clients.isCurrent(known.caller.clientId, known.version))) throw new Problem('token-invalid')
    return { ...known.caller, actor: { ...known.caller.actor, requestId } }
  }
}

async function verify(token: string, key: KeyObject, baseUrl: string, now: Date): Promise<TokenClaims> {
  try {
    const { payload } = await jwtVerify(token, key, {
      issuer: baseUrl,
      audience: baseUrl,
      algorithms: [algorithm],
      typ: 'at+jwt',
      currentDate: now,
    })
    return payload as TokenClaims
  } catch {
    throw new Problem('token-invalid')
  }
}

function toCaller({ client_id, scope, party, mailbox, services, iat }: TokenClaims): SystemCaller {
  const granted = (scope ?? '').split(' ').filter(isScope)
  const rights = new Map(
    [...rightsOf('system', Object.values(services))].filter(([right]) => (granted as string[]).includes(right)),
  )
  const by = { kind: 'system', id: client_id, name: client_id } as const
  const owner = { partyId: party, mailboxId: mailbox, isOrganisation: true, categories: undefined }
  const identifiedAt = iat === undefined ? undefined : new Date(iat * 1000)
  return { clientId: client_id, services, actor: { ...owner, rights, by, identifiedAt, door: 'sender-api', requestId: '' } }
}

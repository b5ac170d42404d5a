import { createHash, randomBytes } from 'node:crypto'
import type { JWK } from 'jose'
import {
  type Adapter,
  type AdapterPayload,
  type Configuration,
  type InteractionResults,
  interactionPolicy,
  type KoaContextWithOIDC,
  Provider,
} from 'oidc-provider'
import type { Config } from '../config.ts'
import { deriveSigningKey } from './signing-key.ts'

export type StandInPerson = { id: string; givenNames: string[]; familyName: string; birthDate: string; note: string }
export type StandInStaff = { subject: string; name: string; note: string }

// Not those of this installation, so that a person has the same subject wherever the demo runs.
const sectorHost = 'digital-post.example'
const salt = 'the demo of Digital Post'

/** Who a person of the stand-in is to us, made as One Login makes it. */
export function oneLoginSubject(internalId: string): string {
  const hash = createHash('sha256').update(sectorHost).update(internalId).update(salt).digest('base64')
  return `urn:fdc:gov.uk:2022:${hash.replaceAll('+', '-').replaceAll('/', '_')}`
}

/** Whom one may be at a stand-in. */
export type StandInAccount = { id: string; name: string; note: string }

/** A stand-in for a sign-in provider, in demo and tests: the real protocol, and a page to pick who one is. */
export type StandIn = {
  provider: Provider
  /** Where it is, without a slash at the end. */
  path: string
  accounts: readonly StandInAccount[]
  /** Further JSON that it answers with, by path. */
  documents: Record<string, unknown>
  /** Paths that ask for a User-Agent. */
  userAgentPaths: readonly string[]
}

const onlyWhatIsNeeded = {
  devInteractions: { enabled: false },
  pushedAuthorizationRequests: { enabled: false },
  resourceIndicators: { enabled: false },
  dPoP: { enabled: false },
  // What it would show gives way to signOutAtOnce.
  rpInitiatedLogout: { enabled: true, logoutSource: async () => undefined },
}

/** The person is known by a session of the stand-in, or picks who to be; nobody is asked for consent. */
export function signInOnly(): interactionPolicy.DefaultPolicy {
  const policy = interactionPolicy.base()
  policy.remove('consent')
  return policy
}

export type StandInSettings = {
  issuer: string
  accounts: readonly StandInAccount[]
  /** What is asked of the person, in what order. */
  policy: interactionPolicy.DefaultPolicy
  configuration: Configuration
  documents?: StandIn['documents']
  userAgentPaths?: StandIn['userAgentPaths']
}

/** Throws outside demo: whoever reaches a stand-in can sign in as anybody. */
export function buildStandIn(
  config: Config,
  { issuer, accounts, policy, configuration, documents = {}, userAgentPaths = [] }: StandInSettings,
): StandIn {
  if (!config.demo) throw new Error('a stand-in for a sign-in provider exists in demo only')
  const path = new URL(issuer).pathname.replace(/\/$/, '')
  const name = path.slice(1)
  const provider = new Provider(issuer, {
    adapter: rememberInMemory(),
    responseTypes: ['code'],
    scopes: ['openid'],
    jwks: { keys: [standInKey(config, name)] },
    enabledJWA: { idTokenSigningAlgValues: ['ES256'] },
    cookies: {
      names: { session: name, interaction: `${name}-interaction`, resume: `${name}-resume` },
      long: { httpOnly: true, sameSite: 'lax', path },
      short: { httpOnly: true, sameSite: 'lax' },
      keys: [randomBytes(32).toString('base64url')],
    },
    interactions: { policy, url: (_ctx, { uid }) => `${path}/interaction/${uid}` },
    // The library refuses calls to this machine itself, where in a demo everything is.
    fetch: (url, options) => fetch(url, { ...options, dispatcher: undefined } as RequestInit),
    loadExistingGrant: grantAll,
    renderError: (ctx, { error, error_description }) => {
      ctx.type = 'text/plain'
      ctx.body = `${error}: ${error_description}`
    },
    clientBasedCORS: () => false,
    ...configuration,
    features: { ...onlyWhatIsNeeded, ...configuration.features } as Configuration['features'],
  })
  provider.proxy = config.trustProxy
  provider.use(async (ctx, next) => {
    await next()
    const { oidc } = ctx as KoaContextWithOIDC
    if (oidc?.route === 'end_session' && ctx.status === 200) await signOutAtOnce(ctx as KoaContextWithOIDC)
  })
  return { provider, path, accounts, documents, userAgentPaths }
}

const rememberedAtMost = 10_000

/** Until the program stops, or so much has come since that it is the oldest. The provider looks at what has expired itself. */
function rememberInMemory(): (model: string) => Adapter {
  const remembered = new Map<string, AdapterPayload>()
  const forgetWhere = (matches: (payload: AdapterPayload) => boolean) => {
    for (const [key, payload] of remembered) if (matches(payload)) remembered.delete(key)
  }
  return (model) => ({
    upsert: async (id, payload) => {
      remembered.set(`${model} ${id}`, payload)
      if (remembered.size > rememberedAtMost) remembered.delete(remembered.keys().next().value!)
    },
    find: async (id) => remembered.get(`${model} ${id}`),
    findByUid: async (uid) => [...remembered.values()].find((payload) => payload.kind === model && payload.uid === uid),
    findByUserCode: async () => undefined,
    consume: async (id) => {
      Object.assign(remembered.get(`${model} ${id}`) ?? {}, { consumed: Math.floor(Date.now() / 1000) })
    },
    destroy: async (id) => {
      remembered.delete(`${model} ${id}`)
    },
    // Not a sign-in under way, which has the id of the grant before it.
    revokeByGrantId: async (grantId) => forgetWhere((payload) => payload.kind === model && payload.grantId === grantId),
  })
}

async function grantAll({ oidc }: KoaContextWithOIDC) {
  const grant = new oidc.provider.Grant({ clientId: oidc.client!.clientId, accountId: oidc.account!.accountId })
  grant.addOIDCScope('openid')
  grant.addOIDCClaims([...oidc.requestParamClaims])
  await grant.save()
  return grant
}

/** As One Login does, in place of the library's question whether one means it. */
async function signOutAtOnce(ctx: KoaContextWithOIDC): Promise<void> {
  const { session, client, params, provider } = ctx.oidc
  if (session?.accountId) {
    if (client?.backchannelLogoutUri) {
      const tell = client.backchannelLogout as (accountId: string) => Promise<unknown>
      // Somebody who cannot be told must not keep the person from signing out.
      await tell.call(client, session.accountId).catch((error) => provider.emit('server_error', ctx, error))
    }
    await session.destroy()
    ctx.cookies.set(provider.cookieName('session'), null, { path: new URL(provider.issuer).pathname.replace(/\/$/, '') })
  }
  const { post_logout_redirect_uri: returnTo, state } = params as Record<string, string | undefined>
  if (!returnTo) {
    ctx.type = 'text/plain'
    ctx.body = 'You have signed out.'
    return
  }
  const url = new URL(returnTo)
  if (state) url.searchParams.set('state', state)
  ctx.redirect(url.href)
}

/** The same after each start of the demo, so that a token of before is still known. */
export function standInKey(config: Config, purpose: string): JWK & { kty: string } {
  return deriveSigningKey(config.secretKey, `stand-in ${purpose}`)
}

/** What was pressed on one of a stand-in's pages. */
export type Choice = { account?: string; outcome?: string }

/** What the stand-in's provider makes of it; undefined when there is no such choice. */
export function resultOf({ accounts }: StandIn, { account, outcome }: Choice): InteractionResults | undefined {
  if (outcome === 'unavailable') return { error: 'temporarily_unavailable', error_description: 'Temporarily unavailable' }
  if (outcome === 'refuse') return { error: 'access_denied', error_description: 'Access denied' }
  if (outcome === 'continue') return { identity: { proven: true } }
  return accounts.some(({ id }) => id === account) ? { login: { accountId: account! } } : undefined
}

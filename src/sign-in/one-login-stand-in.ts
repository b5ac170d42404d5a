import { createPrivateKey, type JsonWebKey } from 'node:crypto'
import { SignJWT } from 'jose'
import { type Account, type Configuration, errors, interactionPolicy, type KoaContextWithOIDC } from 'oidc-provider'
import type { Config } from '../config.ts'
import { coreIdentityClaim, oneLoginAddresses } from './one-login.ts'
import { buildStandIn, oneLoginSubject, type StandIn, type StandInPerson, signInOnly, standInKey } from './stand-in.ts'

const ourScopes = new Set(['openid', 'email', 'phone', 'wallet-subject-id'])
const rsaAlgorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const
const identityMinutes = 30

/** A stand-in for GOV.UK One Login that speaks as it does, and refuses what it refuses. */
export function buildOneLoginStandIn(config: Config, people: readonly StandInPerson[]): StandIn {
  const { issuer, didUrl } = oneLoginAddresses(config)
  const trustmark = `${issuer}trustmark`
  const identity = identityKey(config, issuer, didUrl)

  const findAccount = (_ctx: KoaContextWithOIDC, id: string, token?: object): Account | undefined => {
    const person = people.find((one) => one.id === id)
    return (
      person && {
        accountId: id,
        claims: async (use, _scope, claims) => ({
          sub: id,
          ...(use === 'id_token' ? { vot: 'Cl.Cm', vtm: trustmark, sid: (token as { sessionUid?: string })?.sessionUid } : {}),
          ...(use === 'userinfo' && coreIdentityClaim in claims
            ? { [coreIdentityClaim]: await signIdentity(identity, config.oneLogin.clientId, person, trustmark) }
            : {}),
        }),
      }
    )
  }

  const policy = signInOnly()
  policy.add(
    new interactionPolicy.Prompt(
      { name: 'identity' },
      new interactionPolicy.Check('not_proven', 'identity is to be proven', (ctx) => {
        const { params, result } = ctx.oidc
        return levelOf(params?.vtr) !== 'Cl.Cm' && !(result as { identity?: unknown } | undefined)?.identity
      }),
    ),
  )

  return buildStandIn(config, {
    issuer,
    accounts: people.map(({ id, givenNames, familyName, note }) => ({ id, name: [...givenNames, familyName].join(' '), note })),
    policy,
    configuration: { ...oneLoginConfiguration(config), findAccount },
    documents: { '/.well-known/did.json': identity.document },
    userAgentPaths: ['/token', '/userinfo', '/.well-known/jwks.json', '/.well-known/did.json'],
  })
}

function oneLoginConfiguration(config: Config): Configuration {
  return {
    clients: [
      {
        client_id: config.oneLogin.clientId,
        redirect_uris: [`${config.baseUrl}/sign-in/callback`],
        post_logout_redirect_uris: [`${config.baseUrl}/signed-out`],
        backchannel_logout_uri: `${config.baseUrl}/one-login/back-channel-logout`,
        jwks_uri: `${config.baseUrl}/one-login/jwks.json`,
        token_endpoint_auth_method: 'private_key_jwt',
        id_token_signed_response_alg: 'ES256',
        subject_type: 'pairwise',
      },
    ],
    subjectTypes: ['pairwise'],
    pairwiseIdentifier: (_ctx, accountId) => oneLoginSubject(accountId),
    clientAuthMethods: ['private_key_jwt'],
    enabledJWA: { idTokenSigningAlgValues: ['ES256'], clientAuthSigningAlgValues: [...rsaAlgorithms] },
    claims: { openid: ['sub', 'vot', 'vtm', 'sid', 'auth_time'], [coreIdentityClaim]: null },
    extraParams: { vtr: checkRequest },
    features: {
      backchannelLogout: { enabled: true },
      claimsParameter: { enabled: true, assertClaimsParameter: checkClaims },
    },
    ttl: { AccessToken: 180, AuthorizationCode: 60, IdToken: 120, Grant: 3_600, Interaction: 3_600, Session: 3_600 },
    routes: {
      authorization: '/authorize',
      token: '/token',
      userinfo: '/userinfo',
      jwks: '/.well-known/jwks.json',
      end_session: '/logout',
    },
    pkce: { required: () => false },
  }
}

/** Undefined when it is none that One Login knows. */
function levelOf(vtr: unknown): 'Cl.Cm' | 'Cl.Cm.P1' | 'Cl.Cm.P2' | undefined {
  if (vtr === undefined) return 'Cl.Cm'
  let levels: unknown
  try {
    levels = JSON.parse(String(vtr))
  } catch {
    return undefined
  }
  if (!Array.isArray(levels) || levels.length !== 1 || typeof levels[0] !== 'string') return undefined
  const sorted = levels[0].split('.').sort().join('.')
  if (sorted === 'Cl.Cm' || sorted === 'Cl.Cm.P0') return 'Cl.Cm'
  return sorted === 'Cl.Cm.P1' || sorted === 'Cl.Cm.P2' ? sorted : undefined
}

/** What One Login refuses beyond what OpenID Connect does. */
function checkRequest(ctx: KoaContextWithOIDC, vtr: string | undefined): void {
  const params = ctx.oidc.params as Record<string, string | undefined>
  if (!params.state) throw new errors.InvalidRequest('Request is missing state parameter')
  if (!params.nonce) throw new errors.InvalidRequest('Request is missing nonce parameter')
  // As it was asked for: the library has taken away by now what it does not know.
  for (const scope of String(ctx.query.scope).split(' ')) {
    if (!ourScopes.has(scope)) throw new errors.InvalidScope('Invalid, unknown or malformed scope', scope)
  }
  const level = levelOf(vtr)
  if (level === undefined) throw new errors.InvalidRequest('Request vtr not valid')
  // Without proof of identity, what is asked of it is not answered.
  if (level !== 'Cl.Cm.P2') params.claims = undefined
}

function checkClaims(_ctx: KoaContextWithOIDC, claims: { id_token?: unknown }): void {
  if (claims.id_token !== undefined) throw new errors.InvalidRequest('Request contains invalid claims')
}

type IdentityKey = { issuer: string; kid: string; key: JsonWebKey; document: unknown }

function identityKey(config: Config, issuer: string, didUrl: string): IdentityKey {
  const key = standInKey(config, 'identity')
  const { d: _secret, kid: name, ...publicKeyJwk } = key
  const { host, pathname, origin } = new URL(issuer)
  const id = `did:web:${encodeURIComponent(host)}${pathname.replace(/\/$/, '').replaceAll('/', ':')}`
  const kid = `${id}#${name}`
  const method = { type: 'JsonWebKey', id: kid, controller: id, publicKeyJwk }
  return {
    issuer: `${new URL(didUrl).origin ?? origin}/`,
    kid,
    key,
    document: { '@context': ['https://www.w3.org/ns/did/v1'], id, assertionMethod: [method] },
  }
}

async function signIdentity({ issuer, kid, key }: IdentityKey, clientId: string, person: StandInPerson, trustmark: string) {
  const nameParts = [
    ...person.givenNames.map((value) => ({ type: 'GivenName', value })),
    { type: 'FamilyName', value: person.familyName },
  ]
  return new SignJWT({
    vot: 'P2',
    vtm: trustmark,
    vc: {
      type: ['VerifiableCredential', 'VerifiableIdentityCredential'],
      credentialSubject: { name: [{ nameParts }], birthDate: [{ value: person.birthDate }] },
    },
  })
    .setProtectedHeader({ alg: 'ES256', typ: 'JWT', kid })
    .setIssuer(issuer)
    .setAudience(clientId)
    .setSubject(oneLoginSubject(person.id))
    .setIssuedAt()
    .setNotBefore('0s')
    .setExpirationTime(`${identityMinutes}m`)
    .sign(createPrivateKey({ key, format: 'jwk' }))
}

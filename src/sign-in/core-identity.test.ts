import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { describe, it } from 'node:test'
import { type JWTPayload, SignJWT } from 'jose'
import { cacheDocument, Unreachable } from './cached-document.ts'
import { readCoreIdentity } from './core-identity.ts'

const now = new Date('2026-11-23T12:00:00Z')
const seconds = now.getTime() / 1000
const controller = 'did:web:identity.example'
const kid = `${controller}#key-1`
const key = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const rsaKey = generateKeyPairSync('rsa', { modulusLength: 2048 })

const keyDocument = (...methods: [id: string, key: KeyObject][]) => ({
  id: controller,
  assertionMethod: methods.map(([id, publicKey]) => ({ id, publicKeyJwk: publicKey.export({ format: 'jwk' }) })),
})
const usual = keyDocument(
  [kid, key.publicKey],
  [`${controller}#rsa`, rsaKey.publicKey],
  [`did:web:evil.example#key-1`, key.publicKey],
)

const part = (type: string, value: string) => ({ type, value })
const name = (nameParts: object[], validUntil?: string) => ({ nameParts, validUntil })
const credential = (names: object[], birthDate: object[] = [{ value: '1965-07-08' }]) => ({
  type: ['VerifiableCredential', 'VerifiableIdentityCredential'],
  credentialSubject: { name: names, birthDate },
})
const current = name([part('GivenName', 'Kenneth'), part('FamilyName', 'Decerqueira'), part('GivenName', 'Roy')])

type Change = { claims?: object; header?: object; key?: KeyObject; document?: object }

async function read({ claims, header, key: signingKey, document }: Change = {}) {
  const payload = {
    iss: 'https://identity.example/',
    aud: 'client',
    sub: 'urn:fdc:gov.uk:2022:person',
    exp: seconds + 1_800,
    vot: 'P2',
    vc: credential([current]),
    ...claims,
  }
  const jwt = await new SignJWT(payload as JWTPayload)
    .setProtectedHeader({ alg: 'ES256', kid, ...header })
    .sign(signingKey ?? key.privateKey)
  const expected = {
    keyDocument: { read: async () => document ?? usual },
    issuer: 'https://identity.example/',
    clientId: 'client',
    subject: 'urn:fdc:gov.uk:2022:person',
  }
  return readCoreIdentity(jwt, expected, now)
}

describe('A proof of identity', () => {
  it('gives the current name, given names in order before the family name, and the date of birth', async () => {
    const former = name([part('GivenName', 'Ken'), part('FamilyName', 'Former')], '2001-01-01')
    assert.deepEqual(await read({ claims: { vc: credential([former, current]) } }), {
      name: 'Kenneth Roy Decerqueira',
      birthDate: '1965-07-08',
    })
  })

  const refused: [string, Change][] = [
    ['of a controller that is not the document’s', { header: { kid: 'did:web:evil.example#key-1' } }],
    ['by a key that the document does not hold', { header: { kid: `${controller}#key-2` } }],
    ['by a key without a name', { header: { kid: controller } }],
    ['by a key with two hashes in its name', { header: { kid: `${kid}#key-1` } }],
    ['without a kid', { header: { kid: undefined } }],
    ['signed by somebody else', { key: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey }],
    ['with another algorithm', { header: { alg: 'RS256', kid: `${controller}#rsa` }, key: rsaKey.privateKey }],
    ['of another issuer', { claims: { iss: 'https://oidc.example/' } }],
    ['of the issuer without its slash', { claims: { iss: 'https://identity.example' } }],
    ['for another client', { claims: { aud: 'other' } }],
    ['of another person', { claims: { sub: 'urn:fdc:gov.uk:2022:other' } }],
    ['that has expired', { claims: { exp: seconds - 31 } }],
    ['that never expires', { claims: { exp: undefined } }],
    ['of level P1', { claims: { vot: 'P1' } }],
    ['of no level', { claims: { vot: undefined } }],
    ['without a credential', { claims: { vc: undefined } }],
    ['with former names only', { claims: { vc: credential([name([part('GivenName', 'Ken')], '2001-01-01')]) } }],
    ['with an empty name', { claims: { vc: credential([name([part('GivenName', ' ')])]) } }],
    ['without a date of birth', { claims: { vc: credential([current], []) } }],
    ['with a date of birth that is none', { claims: { vc: credential([current], [{ value: 'July' }]) } }],
    ['when the key document is not one', { document: { keys: [] } }],
  ]
  for (const [name, change] of refused) {
    it(`${name} is refused`, async () => {
      await assert.rejects(read(change))
    })
  }
})

describe('A document of a provider', () => {
  const answer = (body: unknown, cacheControl = 'max-age=3600, private') =>
    new Response(JSON.stringify(body), { headers: { 'cache-control': cacheControl } })
  const after = (secondsLater: number) => new Date(now.getTime() + secondsLater * 1000)

  function provider(...answers: (() => Response)[]) {
    const state = { calls: 0 }
    const call = async () => {
      const next = answers[Math.min(state.calls++, answers.length - 1)]!
      return next()
    }
    return { state, document: cacheDocument(call, 'https://identity.example/did.json', 3_600) }
  }
  const fails = () => {
    throw new Unreachable('no answer')
  }

  it('is kept for as long as its max-age says', async () => {
    const { state, document } = provider(
      () => answer(1, 'max-age=600'),
      () => answer(2),
    )
    assert.deepEqual([await document.read(now), await document.read(after(599)), state.calls], [1, 1, 1])
    assert.deepEqual([await document.read(after(600)), await document.read(after(4_199)), state.calls], [2, 2, 2])
  })

  it('is fetched once when many ask at once', async () => {
    const { state, document } = provider(() => answer(1))
    assert.deepEqual(await Promise.all([document.read(now), document.read(now), document.read(now)]), [1, 1, 1])
    assert.equal(state.calls, 1)
  })

  it('goes on being trusted when it cannot be fetched anew', async () => {
    for (const failure of [fails, () => new Response('', { status: 404 }), () => new Response('<html>')]) {
      const { document } = provider(() => answer(1), failure)
      await document.read(now)
      assert.equal(await document.read(after(100_000)), 1)
    }
  })

  it('is fetched anew for a key that it does not hold, but not more than once a minute', async () => {
    const { state, document } = provider(
      () => answer(1),
      () => answer(2),
    )
    await document.read(now)
    assert.equal(await document.read(after(30), true), 1)
    assert.equal(await document.read(after(61), true), 2)
    await document.read(after(62), true)
    assert.equal(state.calls, 2)
  })

  it('that was never had is asked for again at the next need', async () => {
    const { document } = provider(fails, () => answer(1))
    await assert.rejects(document.read(now), Unreachable)
    assert.equal(await document.read(after(1)), 1)
  })
})

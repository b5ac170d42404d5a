import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { createLocalJWKSet, generateKeyPair, jwtVerify, UnsecuredJWT } from 'jose'
import { type LinkedService, startLinkedService } from '../../test/linked-service.ts'
import type { LinkingService } from '../registry/link-services.ts'
import { type Linking, linkTokenTypes, openLinking, readLinkToken, requestAddress } from './link-token.ts'

const baseUrl = 'https://post.example'
const now = new Date('2026-11-23T10:00:00Z')
const seconds = now.getTime() / 1000

let elsewhere: LinkedService
let service: LinkingService
let linking: Linking
before(async () => {
  elsewhere = await startLinkedService()
  service = {
    id: '01920000-0000-7000-8000-000000000001',
    slug: 'council-tax',
    name: 'Council tax',
    organisationName: 'Northfold Council',
    siteName: 'Your account',
    address: `${elsewhere.issuer}/link?from=post`,
    issuer: elsewhere.issuer,
    jwksUrl: `${elsewhere.issuer}/jwks.json`,
  }
})
beforeEach(() => {
  linking = openLinking({ secretKey: Buffer.alloc(32, 5), baseUrl })
})
after(() => elsewhere.stop())

const claims = {
  aud: baseUrl,
  service: 'council-tax',
  iat: seconds - 5,
  exp: seconds + 120,
  nonce: 'of the request',
  identifier: { scheme: 'link', value: 'CT-1003' },
}
const find = async (slug: string) => (slug === service.slug ? service : undefined)
const read = (token: string, at = now) => readLinkToken(linking, 'answer', token, find, at)
const refusedFor = async (token: string, at = now) => {
  const result = await read(token, at)
  return 'refused' in result ? result.refused : undefined
}
const answer = (change: Record<string, unknown> = {}, by = {}) =>
  elsewhere.sign(linkTokenTypes.answer, { ...claims, ...change }, by)

describe('a request to link', () => {
  test('is signed by our published key for this service alone, counts for ten minutes, and names nobody', async () => {
    const url = await requestAddress(linking, service, { partyId: 'a', nonce: 'a nonce' }, now)
    assert.equal(url.origin, elsewhere.issuer)
    assert.equal(url.searchParams.get('from'), 'post')
    const keys = createLocalJWKSet(JSON.parse(JSON.stringify(linking.publicKeys)))
    const { payload, protectedHeader } = await jwtVerify(url.searchParams.get('request')!, keys, {
      issuer: baseUrl,
      audience: service.issuer,
      typ: 'link-request+jwt',
      currentDate: now,
    })
    assert.equal(protectedHeader.alg, 'ES256')
    assert.deepEqual(Object.keys(payload).sort(), ['aud', 'exp', 'iat', 'iss', 'jti', 'nonce', 'return_to', 'service', 'sub'])
    assert.deepEqual(
      [payload.nonce, payload.return_to, payload.service, payload.exp! - payload.iat!],
      ['a nonce', `${baseUrl}/linking/answer`, 'council-tax', 600],
    )
    assert.ok(!('d' in linking.publicKeys.keys[0]!), 'the private part is not published')
  })

  test('has one subject for a person and a service, and another for everybody and everything else', async () => {
    const subjectOf = async (partyId: string, of = service) => {
      const url = await requestAddress(linking, of, { partyId, nonce: 'n' }, now)
      return JSON.parse(Buffer.from(url.searchParams.get('request')!.split('.')[1]!, 'base64url').toString()).sub
    }
    const other = { ...service, id: '01920000-0000-7000-8000-000000000002' }
    const subjects = [await subjectOf('a'), await subjectOf('a'), await subjectOf('b'), await subjectOf('a', other)]
    assert.equal(subjects[0], subjects[1])
    assert.equal(new Set(subjects).size, 3)
  })
})

describe('what a service has signed', () => {
  test('is taken with its identifier, nonce and id', async () => {
    const result = await read(await answer({ jti: 'the-token-id' }))
    assert.ok('statement' in result)
    assert.deepEqual(result.statement, {
      serviceId: service.id,
      issuer: elsewhere.issuer,
      tokenId: 'the-token-id',
      tokenEndsAt: new Date((seconds + 150) * 1000),
      identifier: claims.identifier,
      nonce: claims.nonce,
    })
  })

  const wrong: [why: string, refused: string, change: Record<string, unknown>][] = [
    ['for somebody else', 'audience', { aud: 'https://other.example' }],
    ['for nobody', 'audience', { aud: undefined }],
    ['by another issuer', 'issuer', { iss: 'https://other.example' }],
    ['of a service that is not here', 'unknown-service', { service: 'parking' }],
    ['of no service', 'unreadable', { service: undefined }],
    ['without a nonce', 'nonce', { nonce: undefined }],
    ['that has ended', 'old', { iat: seconds - 200, exp: seconds - 31 }],
    ['of more than ten minutes ago, whatever its end', 'old', { iat: seconds - 640, exp: seconds + 60 }],
    ['to count for longer than ten minutes', 'old', { exp: seconds + 3_600 }],
    ['of tomorrow', 'old', { iat: seconds + 86_400, exp: seconds + 86_460 }],
    ['without a time', 'unreadable', { iat: undefined }],
    ['without an end', 'unreadable', { exp: undefined }],
    ['without an id', 'unreadable', { jti: undefined }],
    ['without an identifier', 'identifier', { identifier: undefined }],
    [
      'with a number of the whole country, for which one service does not vouch',
      'identifier',
      { identifier: { scheme: 'nino', value: 'QQ123456C' } },
    ],
    ['with an empty identifier', 'identifier', { identifier: { scheme: 'link', value: '  ' } }],
  ]
  for (const [why, refused, change] of wrong) {
    test(`is refused: ${why}`, async () => {
      assert.equal(await refusedFor(await answer(change)), refused)
    })
  }

  test('is refused when another key has signed it, or none', async () => {
    const { privateKey } = await generateKeyPair('ES256')
    assert.equal(await refusedFor(await answer({}, { key: privateKey })), 'signature')
    assert.equal(await refusedFor(await answer({}, { kid: 'unknown', key: privateKey })), 'signature')
    const [header, payload, signature] = (await answer()).split('.')
    const forged = Buffer.from(
      JSON.stringify({ ...claims, iss: elsewhere.issuer, jti: 'forged-token', identifier: { scheme: 'link', value: 'CT-1001' } }),
    )
    assert.equal(await refusedFor([header, forged.toString('base64url'), signature].join('.')), 'signature')
    assert.notEqual(await refusedFor([header, payload, 'AAAA'].join('.')), undefined)
    assert.notEqual(
      await refusedFor(new UnsecuredJWT({ ...claims, iss: elsewhere.issuer, jti: 'unsigned-token' }).encode()),
      undefined,
    )
  })

  test('is refused when it was signed for another use, or is no token', async () => {
    for (const typ of [linkTokenTypes.offer, linkTokenTypes.request, 'JWT'])
      assert.equal(await refusedFor(await elsewhere.sign(typ, claims)), 'unreadable', typ)
    for (const token of ['', 'x', 'a.b.c', 'x'.repeat(9_000)]) assert.equal(await refusedFor(token), 'unreadable')
  })

  test('of an offer needs no nonce, and is not an answer', async () => {
    const { nonce: _, ...offered } = claims
    const offer = await elsewhere.sign(linkTokenTypes.offer, offered)
    const result = await readLinkToken(linking, 'offer', offer, find, now)
    assert.ok('statement' in result)
    assert.equal(result.statement.nonce, undefined)
  })
})

describe('the keys of a service', () => {
  test('are fetched once, and again when a key is not among them', async () => {
    const before = elsewhere.fetched()
    await read(await answer())
    await read(await answer())
    assert.equal(elsewhere.fetched(), before + 1)
    await elsewhere.addKey('second')
    const later = new Date(now.getTime() + 61_000)
    assert.equal(await refusedFor(await answer({}, { kid: 'second' }), later), undefined)
    assert.equal(elsewhere.fetched(), before + 2)
  })

  test('that cannot be reached are no reason to believe anything, and the same answer counts once they can be', async () => {
    const token = await answer()
    elsewhere.isDown = true
    assert.equal(await refusedFor(token), 'keys-unreachable')
    elsewhere.isDown = false
    assert.equal(await refusedFor(token), undefined)
  })
})

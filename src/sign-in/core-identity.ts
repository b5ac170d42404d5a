import { type JWK, jwtVerify } from 'jose'
import { type Static, Type } from 'typebox'
import { Check } from 'typebox/value'
import type { CachedDocument } from './cached-document.ts'

/** What is taken from One Login's proof of identity. The proof itself is neither kept nor logged. */
export type CoreIdentity = { name: string; birthDate: string }

const Proof = Type.Object({
  vot: Type.Literal('P2'),
  vc: Type.Object({
    credentialSubject: Type.Object({
      name: Type.Array(
        Type.Object({
          validUntil: Type.Optional(Type.Union([Type.String(), Type.Null()])),
          nameParts: Type.Array(Type.Object({ type: Type.String(), value: Type.String() })),
        }),
      ),
      birthDate: Type.Array(Type.Object({ value: Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}$' }) }), { minItems: 1 }),
    }),
  }),
})

const KeyDocument = Type.Object({
  id: Type.String(),
  assertionMethod: Type.Array(Type.Object({ id: Type.String(), publicKeyJwk: Type.Object({ kty: Type.String() }) })),
})

export type Expected = {
  /** One Login's did.json. Its address is a setting, and never taken from a token. */
  keyDocument: CachedDocument
  issuer: string
  clientId: string
  subject: string
}

/** Checks a coreIdentityJWT as One Login's technical documentation says, step by step. Throws when a step fails. */
export async function readCoreIdentity(jwt: string, expected: Expected, now: Date): Promise<CoreIdentity> {
  const { payload } = await jwtVerify(jwt, ({ kid }) => findKey(expected.keyDocument, kid ?? '', now), {
    algorithms: ['ES256'],
    issuer: expected.issuer,
    audience: expected.clientId,
    subject: expected.subject,
    requiredClaims: ['exp', 'sub'],
    clockTolerance: 30,
    currentDate: now,
  })
  if (!Check(Proof, payload)) throw new Error('the proof of identity is not one of level P2')
  return { name: currentName(payload), birthDate: payload.vc.credentialSubject.birthDate[0]!.value }
}

async function findKey(keyDocument: CachedDocument, kid: string, now: Date): Promise<JWK> {
  const key = keyIn(await keyDocument.read(now), kid) ?? keyIn(await keyDocument.read(now, true), kid)
  if (key === undefined) throw new Error('no such key for proofs of identity')
  return key
}

function keyIn(document: unknown, kid: string): JWK | undefined {
  if (!Check(KeyDocument, document)) return undefined
  const [controller, fragment, ...rest] = kid.split('#')
  if (controller !== document.id || !fragment || rest.length > 0) return undefined
  return document.assertionMethod.find(({ id }) => id === kid)?.publicKeyJwk
}

function currentName({ vc }: Static<typeof Proof>): string {
  const parts = vc.credentialSubject.name.find(({ validUntil }) => !validUntil)?.nameParts ?? []
  const of = (wanted: string) =>
    parts.filter(({ type, value }) => type === wanted && value.trim()).map(({ value }) => value.trim())
  const name = [...of('GivenName'), ...of('FamilyName')].join(' ')
  if (!name) throw new Error('the proof of identity holds no current name')
  return name
}

import { type Static, Type } from 'typebox'
import type { Db } from '../database/connect.ts'
import type { FieldProblem } from '../problems.ts'

const WebAddress = Type.String({ minLength: 1, maxLength: 500, pattern: '^https?://[\\x21-\\x7e]+$' })

/** How people link a service, in its declaration (docs/service-links.md). */
export const DeclaredLinking = Type.Object(
  {
    address: { ...WebAddress, description: 'Where browsers are sent with a request.' },
    issuer: Type.String({
      minLength: 1,
      maxLength: 500,
      pattern: '^[\\x21-\\x7e]+$',
      description: 'The `iss` of what the service signs, and the `aud` of requests to it.',
    }),
    jwksUrl: { ...WebAddress, description: 'Where the keys are that the service signs with.' },
    name: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 200,
        pattern: '^[^\\u0000-\\u001f\\u007f]*$',
        description: 'What its site calls itself. Default: the name of the public body.',
      }),
    ),
  },
  { additionalProperties: false },
)
type Linking = Static<typeof DeclaredLinking>

/** Plain http goes to this machine itself only, and in demo only. */
export function linkingProblems(linking: Linking | undefined, at: string, { demo }: { demo: boolean }): FieldProblem[] {
  return (['address', 'jwksUrl'] as const).flatMap((name) => {
    const url = URL.parse(linking?.[name] ?? 'https://none.example')
    const isLocal = demo && ['localhost', '127.0.0.1', '[::1]'].includes(url?.hostname ?? '')
    const isGood = url !== null && (url.protocol === 'https:' || isLocal) && !url.username && !url.hash
    return isGood ? [] : [{ field: `${at}/${name}`, message: 'must be an address that begins with https://' }]
  })
}

/** What is not declared is not there: the service cannot be linked by people any more, and links that there are stay. */
export async function bringLinking(db: Db, serviceId: string, linking: Linking | undefined): Promise<void> {
  const { address = null, issuer = null, jwksUrl = null, name = null } = linking ?? {}
  await db`
    update service set linking_address = ${address}, linking_issuer = ${issuer}, linking_jwks_url = ${jwksUrl}, linking_name = ${name}
    where id = ${serviceId}
      and (linking_address, linking_issuer, linking_jwks_url, linking_name)
        is distinct from (${address}::text, ${issuer}::text, ${jwksUrl}::text, ${name}::text)`
}

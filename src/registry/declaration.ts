import { type Static, Type } from 'typebox'
import { Errors } from 'typebox/value'
import type { FieldProblem } from '../problems.ts'
import { Identifier } from './identifier.ts'

const closed = { additionalProperties: false }

const Slug = Type.String({
  pattern: '^[a-z0-9][a-z0-9-]{0,62}$',
  description: 'Small letters, digits and hyphens. Once in the installation, and never changed.',
})
const Name = Type.String({
  minLength: 1,
  maxLength: 200,
  pattern: '^[^\\u0000-\\u001f\\u007f]*$',
  description: 'As people read it.',
})
const Description = Type.String({ maxLength: 2_000, pattern: '^[^\\u0000]*$', description: 'One or two sentences for people.' })
const ServiceSlugs = Type.Array(Slug, { minItems: 1, description: 'Services of this organisation, by their slugs.' })

const Service = Type.Object({ slug: Slug, name: Name, description: Type.Optional(Description) }, closed)

/** A public key of a system (RFC 7517). Members that the kind of key needs, such as `n` and `e`, are left to whoever checks a signature. */
const PublicKey = Type.Object({
  kty: Type.Enum(['RSA', 'EC', 'OKP']),
  kid: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
})

const Client = Type.Object(
  {
    id: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$', description: 'The client id at /oauth/token.' }),
    name: Name,
    services: ServiceSlugs,
    scopes: Type.Array(Type.String({ pattern: '^[a-z]+:[a-z]+$' }), {
      minItems: 1,
      description: 'What its access tokens may hold, such as messages:write.',
    }),
    jwks: Type.Optional(
      Type.Object(
        { keys: Type.Array(PublicKey, { minItems: 1, maxItems: 20 }) },
        { description: 'Its public keys, for private_key_jwt.' },
      ),
    ),
    demoSecret: Type.Optional(Type.String({ minLength: 8, maxLength: 200, description: 'Instead of keys, in a demo only.' })),
  },
  closed,
)

const StaffMember = Type.Object(
  {
    subject: Type.String({ minLength: 1, maxLength: 255, description: 'Who this is at the OpenID provider of the staff.' }),
    name: Name,
    services: ServiceSlugs,
    roles: Type.Optional(
      Type.Array(Type.Enum(['post-reader', 'post-writer', 'contact-manager', 'systems-manager', 'log-reader', 'staff-manager']), {
        minItems: 1,
        uniqueItems: true,
        description: 'What they may do for those services. Default: post-reader and post-writer.',
      }),
    ),
  },
  closed,
)

const Link = Type.Object(
  {
    service: Slug,
    identifier: Identifier,
    party: Type.String({
      pattern: '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$',
      description: 'The id of the party that it means.',
    }),
  },
  closed,
)

const Organisation = Type.Object(
  {
    slug: Slug,
    name: Name,
    description: Type.Optional(Description),
    services: Type.Array(Service, { minItems: 1 }),
    clients: Type.Optional(Type.Array(Client)),
    staff: Type.Optional(Type.Array(StaffMember)),
    links: Type.Optional(Type.Array(Link)),
  },
  closed,
)

/** What `npm run register -- organisations.json` takes. */
export const Declaration = Type.Object({ organisations: Type.Array(Organisation, { minItems: 1 }) }, closed)
export type Declaration = Static<typeof Declaration>
export type DeclaredOrganisation = Static<typeof Organisation>

export type RegisterOptions = {
  /** The scopes that there are. */
  scopes: readonly string[]
  /** Whether clients may have a secret, which everybody knows, instead of keys. */
  demo: boolean
}

/** A declaration that cannot be followed. Names each field that is wrong, by JSON pointer, and repeats none of the values. */
export class DeclarationError extends Error {
  readonly fields: readonly FieldProblem[]
  constructor(fields: readonly FieldProblem[]) {
    super(`The declaration is wrong:\n${fields.map(({ field, message }) => `  ${field || '/'} ${message}`).join('\n')}`)
    this.fields = fields
  }
}

/** What can be said of a declaration without a database. Throws DeclarationError. */
export function checkDeclaration(value: unknown, options: RegisterOptions): Declaration {
  const misfits = Errors(Declaration, value).flatMap(toFieldProblem)
  if (misfits.length > 0) throw new DeclarationError(misfits)
  const declaration = value as Declaration
  const problems = [
    ...repeated(declaration.organisations.map(({ slug }, o) => [slug, `/organisations/${o}/slug`])),
    ...repeatedIn(declaration, 'services', 'slug'),
    ...repeatedIn(declaration, 'clients', 'id'),
    ...repeatedIn(declaration, 'staff', 'subject'),
    ...declaration.organisations.flatMap((organisation, index) => [
      ...unknownServices(organisation, `/organisations/${index}`),
      ...(organisation.clients ?? []).flatMap((client, c) =>
        clientProblems(client, `/organisations/${index}/clients/${c}`, options),
      ),
    ]),
  ]
  if (problems.length > 0) throw new DeclarationError(problems)
  return declaration
}

type Misfit = ReturnType<typeof Errors>[number]

function toFieldProblem(misfit: Misfit): FieldProblem[] {
  const field = misfit.instancePath
  switch (misfit.keyword) {
    case 'additionalProperties':
      // Each such field has an error of its own, below.
      return []
    case 'boolean':
      return [{ field, message: 'is not a field of a declaration' }]
    case 'required':
      return misfit.params.requiredProperties.map((name) => ({ field: `${field}/${name}`, message: 'is missing' }))
    case 'enum':
      return [{ field, message: `must be one of ${misfit.params.allowedValues.join(', ')}` }]
    default:
      return [{ field, message: misfit.message }]
  }
}

function repeated(values: readonly (readonly [value: unknown, field: string])[]): FieldProblem[] {
  const seen = new Set<unknown>()
  return values.flatMap(([value, field]) => {
    if (!seen.has(value)) {
      seen.add(value)
      return []
    }
    return [{ field, message: 'is the same as that of another' }]
  })
}

function repeatedIn({ organisations }: Declaration, list: 'services' | 'clients' | 'staff', key: string): FieldProblem[] {
  return repeated(
    organisations.flatMap((organisation, o) =>
      (organisation[list] ?? []).map(
        (item: Record<string, unknown>, i) => [item[key], `/organisations/${o}/${list}/${i}/${key}`] as const,
      ),
    ),
  )
}

function unknownServices({ services, clients = [], staff = [], links = [] }: DeclaredOrganisation, at: string): FieldProblem[] {
  const known = new Set(services.map(({ slug }) => slug))
  const named = [
    ...clients.flatMap((client, c) => client.services.map((slug, s) => [slug, `${at}/clients/${c}/services/${s}`] as const)),
    ...staff.flatMap((member, m) => member.services.map((slug, s) => [slug, `${at}/staff/${m}/services/${s}`] as const)),
    ...links.map(({ service }, l) => [service, `${at}/links/${l}/service`] as const),
  ]
  return named.flatMap(([slug, field]) =>
    known.has(slug) ? [] : [{ field, message: 'is not the slug of a service of this organisation' }],
  )
}

function clientProblems(
  { scopes, jwks, demoSecret }: Static<typeof Client>,
  at: string,
  options: RegisterOptions,
): FieldProblem[] {
  const problems = scopes.flatMap((scope, s) =>
    options.scopes.includes(scope)
      ? []
      : [{ field: `${at}/scopes/${s}`, message: `must be one of ${options.scopes.join(', ')}` }],
  )
  for (const [index, key] of jwks?.keys.entries() ?? []) {
    if ('d' in key)
      problems.push({ field: `${at}/jwks/keys/${index}/d`, message: 'is the private part of a key: give the public key only' })
  }
  if (demoSecret !== undefined && !options.demo)
    problems.push({ field: `${at}/demoSecret`, message: 'works in a demo only: give jwks' })
  else if (jwks === undefined && demoSecret === undefined) problems.push({ field: `${at}/jwks`, message: 'is missing' })
  return problems
}

import { type Static, Type } from 'typebox'
import type { FieldProblem } from '../problems.ts'
import { Notice } from './apply-notices.ts'
import { keyRefusals, privateMember, readPublicKey } from './client-key.ts'
import { contactGroupFields, contactPointFields } from './contact-point.ts'
import { Identifier } from './identifier.ts'
import { DeclaredLinking, linkingProblems } from './link-declaration.ts'
import { misfitsOf } from './misfits.ts'
import type { RegistrationRules } from './registration.ts'

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

const Service = Type.Object(
  {
    slug: Slug,
    name: Name,
    description: Type.Optional(Description),
    linking: Type.Optional(DeclaredLinking),
    lettersPerSecond: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1_000_000,
        description: 'How many letters it may send in a second, in bulk nine tenths of them. Default: as all.',
      }),
    ),
    lettersPerDay: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 10_000_000_000,
        description: 'How many letters it may send in a day, in bulk nine tenths of them. Default: as all.',
      }),
    ),
    holdBatches: Type.Optional(
      Type.Boolean({
        description: 'Whether each of its batches waits for staff to release it. Default: where its sender asks for that.',
      }),
    ),
    releaseByTwo: Type.Optional(
      Type.Boolean({
        description:
          'Whether a batch is released, or taken back when it was released, only where two members of staff agree. Default: one decides.',
      }),
    ),
    urgent: Type.Optional(
      Type.Boolean({
        description: 'Whether it may send single letters that go before all others, such as a hospital’s. Default: no.',
      }),
    ),
    schemes: Type.Optional(
      Type.Array(Type.String({ pattern: '^[a-z][a-z0-9-]{0,31}$' }), {
        uniqueItems: true,
        description:
          'Identifier schemes of the whole installation that it may use, such as nino. Default: as before, and at first none.',
      }),
    ),
  },
  closed,
)

/** A public key of a system (RFC 7517). What its kind needs, such as `n` and `e`, is checked by registry/client-key.ts. */
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
        {
          description:
            'Its public keys, for private_key_jwt. Whoever runs the declaration has approved them: no second person is asked.',
        },
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

const ContactSlug = Type.String({
  pattern: '^[a-z0-9][a-z0-9-]{0,62}$',
  description: 'The end of its address: small letters, digits and hyphens. Once in the organisation, and never changed.',
})
const InGroup = Type.Optional(Type.String({ description: 'The group that it is in, by its slug. Default: in none.' }))

const Contacts = Type.Object(
  {
    groups: Type.Optional(Type.Array(Type.Object({ slug: ContactSlug, group: InGroup, ...contactGroupFields }, closed))),
    points: Type.Optional(
      Type.Array(Type.Object({ slug: ContactSlug, service: Slug, group: InGroup, ...contactPointFields }, closed)),
    ),
  },
  { ...closed, description: 'Where people may write to. A service that is in no contact point gets a general one.' },
)
export type DeclaredContacts = Static<typeof Contacts>

const Organisation = Type.Object(
  {
    slug: Slug,
    name: Name,
    description: Type.Optional(Description),
    evidenceYears: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 100,
        description: 'For how many years its evidence is kept. Default: as the installation’s.',
      }),
    ),
    actionHosts: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 300 }), {
        maxItems: 100,
        description:
          'Sites that buttons in its letters may lead to, by name, such as www.gov.uk. These are added to those that there are.',
      }),
    ),
    services: Type.Array(Service, { minItems: 1 }),
    clients: Type.Optional(Type.Array(Client)),
    staff: Type.Optional(Type.Array(StaffMember)),
    links: Type.Optional(Type.Array(Link)),
    contacts: Type.Optional(Contacts),
  },
  closed,
)

const Registrar = Type.Object(
  {
    subject: Type.String({ minLength: 1, maxLength: 255, description: 'Who this is at the OpenID provider of the staff.' }),
    name: Name,
    active: Type.Optional(Type.Boolean({ description: 'false: may not sign in any more. Default true.' })),
  },
  closed,
)

const InLanguages = Type.Object(
  { en: Type.String({ minLength: 1, maxLength: 2_000 }), cy: Type.Optional(Type.String({ minLength: 1, maxLength: 2_000 })) },
  closed,
)
const Category = Type.Object(
  { slug: Slug, name: InLanguages, wording: InLanguages },
  { ...closed, description: 'A kind of post. People who consent to it read the wording, and it is kept with their consent.' },
)
export type DeclaredCategory = Static<typeof Category>

/** What `npm run register -- organisations.json` takes. */
export const Declaration = Type.Object(
  {
    organisations: Type.Array(Organisation, {
      description: 'Public bodies. Empty where there are only other things to register.',
    }),
    categories: Type.Optional(Type.Array(Category)),
    notices: Type.Optional(Type.Array(Notice, { description: 'What registers say of deaths and the ends of businesses.' })),
    registrars: Type.Optional(Type.Array(Registrar, { description: 'Who may look into the registry, and change it.' })),
  },
  closed,
)
export type Declaration = Static<typeof Declaration>
export type DeclaredOrganisation = Static<typeof Organisation>

export type RegisterOptions = {
  /** The scopes that there are. */
  scopes: readonly string[]
  /** Whether clients may have a secret, which everybody knows, instead of keys. */
  demo: boolean
  /** Default: those that hold where no setting says otherwise. */
  rules?: RegistrationRules
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
  const misfits = misfitsOf(Declaration, value)
  if (misfits.length > 0) throw new DeclarationError(misfits)
  const declaration = value as Declaration
  const problems = [
    ...repeated(declaration.organisations.map(({ slug }, o) => [slug, `/organisations/${o}/slug`])),
    ...repeatedIn(declaration, 'services', 'slug'),
    ...repeated((declaration.categories ?? []).map(({ slug }, c) => [slug, `/categories/${c}/slug`])),
    ...repeatedIn(declaration, 'clients', 'id'),
    ...repeatedIn(declaration, 'staff', 'subject'),
    ...repeated((declaration.registrars ?? []).map(({ subject }, r) => [subject, `/registrars/${r}/subject`])),
    ...declaration.organisations.flatMap((organisation, index) => [
      ...unknownServices(organisation, `/organisations/${index}`),
      ...organisation.services.flatMap(({ linking }, s) =>
        linkingProblems(linking, `/organisations/${index}/services/${s}/linking`, options),
      ),
      ...contactProblems(organisation, `/organisations/${index}/contacts`),
      ...(organisation.clients ?? []).flatMap((client, c) =>
        clientProblems(client, `/organisations/${index}/clients/${c}`, options),
      ),
    ]),
  ]
  if (problems.length > 0) throw new DeclarationError(problems)
  return declaration
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
    const refusal = readPublicKey(key)
    const member = refusal === 'private' ? `/${privateMember(key)}` : ''
    if (typeof refusal === 'string') problems.push({ field: `${at}/jwks/keys/${index}${member}`, message: keyRefusals[refusal] })
  }
  if (demoSecret !== undefined && !options.demo)
    problems.push({ field: `${at}/demoSecret`, message: 'works in a demo only: give jwks' })
  else if (jwks === undefined && demoSecret === undefined) problems.push({ field: `${at}/jwks`, message: 'is missing' })
  return problems
}

function contactProblems({ services, contacts = {} }: DeclaredOrganisation, at: string): FieldProblem[] {
  const { groups = [], points = [] } = contacts
  const known = new Set(services.map(({ slug }) => slug))
  const parentOf = new Map(groups.map(({ slug, group }) => [slug, group]))
  const inGroups = [
    ...groups.map(({ group }, g) => [group, `${at}/groups/${g}/group`] as const),
    ...points.map(({ group }, p) => [group, `${at}/points/${p}/group`] as const),
  ]
  return [
    ...repeated(groups.map(({ slug }, g) => [slug, `${at}/groups/${g}/slug`])),
    ...repeated(points.map(({ slug }, p) => [slug, `${at}/points/${p}/slug`])),
    ...points.flatMap(({ asks = [] }, p) =>
      repeated(asks.map(({ label }, a) => [label.en, `${at}/points/${p}/asks/${a}/label/en`])),
    ),
    ...inGroups.flatMap(([group, field]) =>
      group === undefined || parentOf.has(group) ? [] : [{ field, message: 'is not the slug of a group of these contacts' }],
    ),
    ...points.flatMap(({ service }, p) =>
      known.has(service)
        ? []
        : [{ field: `${at}/points/${p}/service`, message: 'is not the slug of a service of this organisation' }],
    ),
    ...groups.flatMap(({ slug }, g) =>
      isInItself(slug, parentOf) ? [{ field: `${at}/groups/${g}/group`, message: 'puts the group into itself' }] : [],
    ),
  ]
}

function isInItself(slug: string, parentOf: ReadonlyMap<string, string | undefined>): boolean {
  const above = new Set<string>()
  for (let group = parentOf.get(slug); group !== undefined && !above.has(group); group = parentOf.get(group)) above.add(group)
  return above.has(slug)
}

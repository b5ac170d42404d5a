import { Problem } from '../problems.ts'

/**
 * What may be done, and who may do it. Deny unless the table allows. The rights that a system may have are also the scopes of
 * its access tokens. Of a party's own mailbox: `owner` is the person (or whoever answers for a business by law), `reader` and
 * `writer` are whom a grant lets in (docs/rights.md says which rights each has, after the Danish read and write access),
 * `administrator` manages a business's people and reads no post by that alone. Of a public body: a member of staff has
 * any number of the roles `post-reader` to `staff-manager`, each for some of its services.
 */
const roles = [
  'owner',
  'reader',
  'writer',
  'administrator',
  'post-reader',
  'post-writer',
  'contact-manager',
  'systems-manager',
  'log-reader',
  'staff-manager',
  'system',
  'registrar',
] as const
export type Role = (typeof roles)[number]

const table = {
  'messages:write': ['owner', 'writer', 'post-writer', 'system'],
  'messages:read': ['owner', 'reader', 'writer', 'post-reader', 'post-writer', 'system'],
  'events:read': ['system'],
  'inbox:read': ['owner', 'reader', 'writer', 'post-reader', 'post-writer', 'system'],
  'inbox:write': ['owner', 'reader', 'writer', 'post-writer', 'system'],
  'actions:take': ['owner', 'writer'],
  'mailbox:file': ['owner', 'reader', 'writer'],
  'mailbox:erase': ['owner'],
  'recipients:read': ['post-writer', 'system'],
  'registration:manage': ['owner', 'administrator'],
  'links:manage': ['owner', 'administrator'],
  'grants:manage': ['owner', 'administrator'],
  'mailbox:download': ['owner'],
  'looks:read': ['owner', 'reader', 'writer', 'administrator'],
  'contact-points:manage': ['contact-manager'],
  'systems:manage': ['systems-manager'],
  'logs:read': ['log-reader'],
  'staff:manage': ['staff-manager'],
  'registry:manage': ['registrar'],
} as const satisfies Record<string, readonly Role[]>

export type Right = keyof typeof table
/** For which services each right holds: those ids, or all post of the mailbox. */
export type Rights = ReadonlyMap<Right, 'all' | readonly string[]>

/** In words, for the API's documentation. Whoever grants a scope reads the pages' own, in words/…/staff-systems.json. */
export const scopesInWords = {
  'messages:write': 'Send messages.',
  'messages:read': 'See the state and history of messages sent.',
  'events:read': 'Read the events of messages sent.',
  'inbox:read': 'Read what has been written to the service.',
  'inbox:write': 'Take over what has been written to the service.',
  'recipients:read': 'Ask whether recipients can be reached.',
} as const satisfies Partial<Record<Right, string>>

/** Roles that a public body gives its staff, in the order in which they are offered. */
export const staffRoles = [
  'post-reader',
  'post-writer',
  'contact-manager',
  'systems-manager',
  'log-reader',
  'staff-manager',
] as const
export type StaffRole = (typeof staffRoles)[number]

export const allRights = Object.keys(table) as Right[]
/** What a system's access token may hold. */
export const scopes = Object.keys(scopesInWords) as (keyof typeof scopesInWords)[]

export function isScope(word: string): word is keyof typeof scopesInWords {
  return Object.hasOwn(scopesInWords, word)
}

/** What a role may do, for all post of the mailbox or for these services. */
export function rightsOf(role: Role, services: 'all' | readonly string[] = 'all'): Rights {
  return new Map(allRights.filter((right) => (table[right] as readonly Role[]).includes(role)).map((right) => [right, services]))
}

/** What one who has several roles may do. */
export function unite(...several: readonly Rights[]): Rights {
  const united = new Map<Right, 'all' | readonly string[]>()
  for (const [right, services] of several.flatMap((rights) => [...rights])) {
    const before = united.get(right) ?? []
    united.set(right, before === 'all' || services === 'all' ? 'all' : [...new Set([...before, ...services])])
  }
  return united
}

/** What the roles of a member of staff, each for one service, let them do. */
export function rightsOfStaff(roles: readonly { role: StaffRole; serviceId: string }[]): Rights {
  return unite(...roles.map(({ role, serviceId }) => rightsOf(role, [serviceId])))
}

/** Throws `scope-missing` unless the actor has the right. */
export function requireRight({ rights }: { rights: Rights }, right: Right): void {
  if (!rights.has(right)) throw new Problem('scope-missing')
}

import { Problem } from '../problems.ts'

/**
 * What may be done, and who may do it. For a public body's systems the rights are also the scopes of their access tokens.
 * Deny unless the table allows.
 */
const table = {
  //                  person  staff  system
  'messages:write': [true, true, true],
  'messages:read': [true, true, true],
  'events:read': [false, false, true],
  'inbox:read': [true, true, true],
  'inbox:write': [true, true, true],
  'recipients:read': [false, true, true],
} as const satisfies Record<string, readonly [person: boolean, staff: boolean, system: boolean]>

export type Right = keyof typeof table
export type Role = 'person' | 'staff' | 'system'

const roles: Role[] = ['person', 'staff', 'system']

/** In words, for the API's documentation and for whoever grants a scope. */
export const rightsInWords: Record<Right, string> = {
  'messages:write': 'Send messages.',
  'messages:read': 'See the state and history of messages sent.',
  'events:read': 'Read the events of messages sent.',
  'inbox:read': 'Read what has been written to the service.',
  'inbox:write': 'Take over what has been written to the service.',
  'recipients:read': 'Ask whether recipients can be reached.',
}

export const allRights = Object.keys(table) as Right[]

export function isRight(word: string): word is Right {
  return Object.hasOwn(table, word)
}

export function rightsOf(role: Role): ReadonlySet<Right> {
  const column = roles.indexOf(role)
  return new Set(allRights.filter((right) => table[right][column]))
}

/** Throws `scope-missing` unless the actor has the right. */
export function requireRight({ rights }: { rights: ReadonlySet<Right> }, right: Right): void {
  if (!rights.has(right)) throw new Problem('scope-missing')
}

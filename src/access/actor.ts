import type { Right } from './rights.ts'

/** The ways in. The one that was used goes into the record of what was done. */
export type Door = 'sender-api' | 'citizen-pages' | 'department-pages' | 'demo'

/**
 * Who is asking, and on whose behalf. Made by a door from a session or a token, and trusted inside: never a request.
 * `partyId` is the party whose mailbox is open; `serviceIds` are the services of that public body that the asker may act
 * for, and is undefined for a person or a business, who see all their post.
 */
export type Actor = {
  partyId: string
  mailboxId: string
  serviceIds: readonly string[] | undefined
  rights: ReadonlySet<Right>
  door: Door
  requestId: string
}

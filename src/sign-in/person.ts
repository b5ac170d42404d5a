import type { Database, Db } from '../database/connect.ts'
import { readWithin, within } from '../database/scope.ts'
import { createParty } from '../registry/create-party.ts'
import { defaultRules, hasReached, type RegistrationRules } from '../registry/registration.ts'
import type { CoreIdentity } from './core-identity.ts'

/** The party that somebody at One Login is here. */
export async function findPerson(db: Db, subject: string): Promise<string | undefined> {
  const [row] = await readWithin<{ partyId: string }>(
    db,
    { purpose: 'sign-in' },
    db`select party_id from one_login_subject where subject = ${subject}`,
  )
  return row?.partyId
}

/** Somebody who is not of the age yet from which there are mailboxes. Nothing is kept of them. */
export type TooYoung = { refused: 'too-young' }

/** A person whose identity is proven gets a party and a mailbox, once: of two who come at the same moment, both get the same. */
export async function registerPerson(
  database: Database,
  subject: string,
  { name, birthDate }: CoreIdentity,
  now: Date,
  rules: RegistrationRules = defaultRules,
): Promise<string | TooYoung> {
  if (!hasReached(rules.age, birthDate, now)) return { refused: 'too-young' }
  return within(database, { purpose: 'sign-in' }, async (db) => {
    await db`select pg_advisory_xact_lock(hashtextextended(${subject}, 0))`
    const known = await findPerson(db, subject)
    if (known !== undefined) return known
    const { partyId } = await createParty(db, { kind: 'person', name, birthDate }, now, rules)
    await db`insert into preference (party_id) values (${partyId})`
    await db`insert into one_login_subject (subject, party_id, created_at) values (${subject}, ${partyId}, ${now})`
    return partyId
  })
}

import type { Actor } from '../access/actor.ts'
import { personOf } from '../access/grant.ts'
import type { Db } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { readWithin, within } from '../database/scope.ts'

export type Preferences = {
  /** Of pages and messages; undefined where nothing was chosen. */
  language: 'en' | 'cy' | undefined
  /** Whether the first page of all is still to be shown. */
  isNew: boolean
}

/** What a person has chosen, whichever mailbox is open. */
export async function readPreferences(db: Db, personId: string): Promise<Preferences> {
  const [row] = await readWithin<{ language: 'en' | 'cy' | null; isNew: boolean }>(
    db,
    { party: personId },
    db`select language, welcomed_at is null as is_new from preference where ${own(db, db`party_id = ${personId}`)}`,
  )
  return { language: row?.language ?? undefined, isNew: row?.isNew ?? false }
}

export async function chooseLanguage(db: Db, actor: Actor, language: 'en' | 'cy', now: Date): Promise<void> {
  const personId = personOf(actor)
  await within(
    db,
    { party: personId },
    (sql) => sql`
      insert into preference (party_id, language, welcomed_at) values (${personId}, ${language}, ${now})
      on conflict (party_id) do update set language = excluded.language`,
  )
}

/** The first page of all has been read, and is not shown again. */
export async function noteWelcomed(db: Db, actor: Actor, now: Date): Promise<void> {
  const personId = personOf(actor)
  await within(
    db,
    { party: personId },
    (sql) =>
      sql`update preference set welcomed_at = ${now} where ${own(sql, sql`party_id = ${personId}`)} and welcomed_at is null`,
  )
}

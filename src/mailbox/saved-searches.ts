import { v7 as newId } from 'uuid'
import type { Actor } from '../access/actor.ts'
import { personOf } from '../access/grant.ts'
import type { Db } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { readWithin, within } from '../database/scope.ts'
import { Problem } from '../problems.ts'

export const savedNameLengthMax = 60
export const savedSearchesMax = 50

/** `asked`: the fields of the form, as they stand in its address. */
export type SavedSearch = { id: string; name: string; asked: Record<string, string> }

/** The searches that a person has kept, whoever's mailbox is open, by name. */
export async function listSavedSearches(db: Db, actor: Actor): Promise<SavedSearch[]> {
  const personId = personOf(actor)
  return readWithin<SavedSearch>(
    db,
    { party: personId },
    db`
    select id, name, asked from saved_search where ${own(db, db`party_id = ${personId}`)}
    order by lower(name), id limit ${savedSearchesMax}`,
  )
}

/** Keeps a search under a name. Again under the same name takes its place. Throws `too-many-saved-searches`. */
export async function saveSearch(db: Db, actor: Actor, { name, asked }: Omit<SavedSearch, 'id'>, now: Date): Promise<void> {
  const personId = personOf(actor)
  await within(db, { party: personId }, async (sql) => {
    // Two at once must not make one too many.
    await sql`select pg_advisory_xact_lock(hashtextextended(${`saved search ${personId}`}, 0))`
    await sql`delete from saved_search where ${own(sql, sql`party_id = ${personId}`)} and lower(name) = lower(${name})`
    const [kept] = await sql<{ count: number }[]>`
      select count(*)::int as count from saved_search where ${own(sql, sql`party_id = ${personId}`)}`
    if (kept!.count >= savedSearchesMax) throw new Problem('too-many-saved-searches')
    await sql`
      insert into saved_search (party_id, id, name, asked, created_at)
      values (${personId}, ${newId()}, ${name}, ${sql.json(asked)}, ${now})`
  })
}

/** Forgets one. Again is harmless. */
export async function deleteSavedSearch(db: Db, actor: Actor, id: string): Promise<void> {
  const personId = personOf(actor)
  await within(
    db,
    { party: personId },
    (sql) => sql`delete from saved_search where ${own(sql, sql`party_id = ${personId}`)} and id = ${id}`,
  )
}

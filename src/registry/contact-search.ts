import type { Actor } from '../access/actor.ts'
import { requireRight } from '../access/rights.ts'
import { scopeOf } from '../access/scope-of.ts'
import type { Db } from '../database/connect.ts'
import { readWithin } from '../database/scope.ts'
import { isOffered } from './contact-browse.ts'
import { type ContactPoint, contactPointColumns, contactPointTables } from './contact-point.ts'

export const searchLengthMax = 200
const wordsMax = 10
const foundMax = 20

/** How near what was found is to what was asked for: all its words, some of them, or words that begin like them. */
const closenesses = ['all', 'some', 'near'] as const
export type Closeness = (typeof closenesses)[number]

/**
 * The places to write to that fit these words best. A word may be the beginning of one ("park"), English ones in any form
 * ("fines"). Where no place has all words, those that have some; where none has any, those with a word that begins alike,
 * as a misspelt one mostly does.
 */
export async function searchContactPoints(
  db: Db,
  actor: Actor,
  text: string,
): Promise<{ closeness: Closeness; points: ContactPoint[] }> {
  requireRight(actor, 'messages:write')
  const words = wordsOf(text)
  if (words.length === 0) return { closeness: 'all', points: [] }
  const beginnings = words.map((word) => `${word}:*`)
  const near = words
    .filter(({ length }) => length >= 5)
    .map((word) => `${word.slice(0, Math.max(3, Math.floor(word.length / 2)))}:*`)
  const all = db`to_tsquery('english', ${beginnings.join(' & ')})`
  const some = db`to_tsquery('english', ${beginnings.join(' | ')})`
  const any = db`${some} || to_tsquery('simple', ${near.join(' | ')})`
  const rows = await readWithin<ContactPoint & { distance: number }>(
    db,
    scopeOf(actor),
    db`
      select ${contactPointColumns(db)},
             case when point.search @@ ${all} then 0 when point.search @@ ${some} then 1 else 2 end as distance
      from ${contactPointTables(db)}
      where point.search @@ (${any}) and ${isOffered(db, actor)}
      order by distance, ts_rank(point.search, ${any}) desc, point.name ->> 'en', point.id
      limit ${foundMax}`,
  )
  const nearest = rows[0]?.distance ?? 0
  const points = rows.filter(({ distance }) => distance === nearest).map(({ distance: _, ...point }) => point)
  return { closeness: closenesses[nearest]!, points }
}

/** What PostgreSQL could take for a sign of its query language is no part of a word. */
function wordsOf(text: string): string[] {
  const words = text
    .slice(0, searchLengthMax)
    .toWellFormed()
    .normalize('NFC')
    .toLowerCase()
    .match(/[\p{L}\p{N}]+/gu)
  return [...new Set(words)].slice(0, wordsMax)
}

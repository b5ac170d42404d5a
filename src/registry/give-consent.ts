import { v7 as newId } from 'uuid'
import type { Actor } from '../access/actor.ts'
import { noteLooks } from '../access/look.ts'
import { requireRight } from '../access/rights.ts'
import { scopeOf } from '../access/scope-of.ts'
import type { Db } from '../database/connect.ts'
import { within } from '../database/scope.ts'
import { Problem } from '../problems.ts'
import { digestOf, wordingOf } from './consent.ts'
import { listCategories } from './find-categories.ts'
import { noteRecipientChange } from './recipient-changes.ts'

/**
 * Consent to one category of post, with the words that were shown. `wordingDigest` is of those words: where they have changed
 * since, `form-expired`. Given again while it holds, it stays as it was.
 */
export async function giveConsent(
  db: Db,
  actor: Actor,
  { category: slug, language, wordingDigest }: { category: string; language: string; wordingDigest: string },
  now: Date,
): Promise<void> {
  requireRight(actor, 'registration:manage')
  const category = (await listCategories(db)).find((one) => one.slug === slug)
  const wording = category && wordingOf(category, language)
  if (wording === undefined) throw new Problem('not-found')
  if (wording.language !== language || digestOf(wording.text) !== wordingDigest) throw new Problem('form-expired')
  await within(db, scopeOf(actor), async (sql) => {
    const [given] = await sql`
      insert into consent (party_id, id, category, given_at, wording, language)
      values (${actor.partyId}, ${newId()}, ${slug}, ${now}, ${wording.text}, ${language})
      on conflict (party_id, category) where withdrawn_at is null do nothing returning id`
    if (given === undefined) return
    if (actor.by.kind !== 'owner')
      await noteLooks(sql, [{ partyId: actor.partyId, by: actor.by, what: 'registration-changed' }], now)
    await noteRecipientChange(sql, { partyId: actor.partyId }, now)
  })
}

import type { Db } from '../database/connect.ts'
import type { DeclaredCategory } from './declaration.ts'

/** Brings the kinds of post to what the declaration says. What people have consented to keeps the words that were shown then. */
export async function bringCategories(db: Db, categories: readonly DeclaredCategory[]): Promise<void> {
  for (const { slug, name, wording } of categories) {
    await db`
      insert into category (slug, name, wording) values (${slug}, ${db.json(name)}, ${db.json(wording)})
      on conflict (slug) do update set name = excluded.name, wording = excluded.wording
      where (category.name, category.wording) is distinct from (excluded.name, excluded.wording)`
  }
}

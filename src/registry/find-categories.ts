import type { Db } from '../database/connect.ts'

export type Category = {
  slug: string
  /** By language. */
  name: Record<string, string>
  /** By language: what a person reads when asked for consent. */
  wording: Record<string, string>
}

/** The kinds of post of this installation. */
export async function listCategories(db: Db): Promise<Category[]> {
  return db<Category[]>`select slug, name, wording from category order by slug <> 'general', slug`
}

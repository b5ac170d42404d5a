import type { Database } from '../../src/database/connect.ts'

/** Sessions say when they were last seen; a link that comes to somebody else ends there, as it should. */
const changedByAsking = ['session', 'link_request']

export type Fingerprint = { tables: ReadonlyMap<string, string>; differencesFrom: (later: Fingerprint) => string[] }

/** Of all rows of all tables, so that two moments can be compared. */
export async function fingerprint(owner: Database): Promise<Fingerprint> {
  const names = await owner<{ name: string }[]>`
    select relname as name from pg_class
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and relname <> all (${changedByAsking})`
  const tables = new Map<string, string>()
  for (const { name } of names) {
    const [row] = await owner<{ digest: string }[]>`
      select count(*) || ' ' || md5(coalesce(string_agg(row::text, '|' order by row::text), '')) as digest from ${owner(name)} as row`
    tables.set(name, row!.digest)
  }
  return {
    tables,
    differencesFrom: (later) => [...tables].flatMap(([name, digest]) => (later.tables.get(name) === digest ? [] : name)),
  }
}

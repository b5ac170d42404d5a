import type { Database, Db, Fragment } from './connect.ts'

/**
 * What statements may see and change. The database holds them to it: row-level security reads it from settings
 * called post.…, and where none is set there is nothing (migrations/0009_isolation.sql has the policies, each beside its table).
 */
export type Scope = {
  /** A work of the program's own that goes across mailboxes; its policies allow it what it needs and no more. */
  purpose?:
    | 'sign-in'
    | 'registry'
    | 'granting'
    | 'linking'
    | 'merge'
    | 'delivery'
    | 'evidence'
    | 'following'
    | 'upkeep'
    | 'paying'
    | 'calendar'
    | 'erasing'
    | 'watching'
    | 'alerts'
    | 'search'
  /** The party whose own things these are: registration, links, grants, looks. */
  party?: string
  /** Businesses that the party works for: what others have granted to them. */
  firms?: readonly string[]
  /** The mailbox that is open. */
  mailbox?: string
  /** Under whose ledgers own messages stand: services, or the party. */
  senders?: readonly string[]
  /** Of the mailbox and of what was sent, only this: undefined is all. */
  services?: readonly string[] | undefined
  categories?: readonly string[] | undefined
  /** Somebody else than the owner reads: what is for the recipient only is not there. */
  isHelper?: boolean
  /** Mailboxes that are written from: what is answered came to one of them. */
  mailboxes?: readonly string[]
  /** Mailboxes that are open in some window, asked whether anything in them is new. */
  watched?: readonly string[]
  /** In which mailbox to look for a letter that lets an upload be read. It lets nothing be seen that is not seen anyway. */
  fileIn?: string
  /** Services that the asker acts for: their look-ups, their log. */
  ownServices?: readonly string[]
  /** The public body whose own things these are: staff, systems, contact points. */
  organisation?: string
}

/** In which scope a transaction is, so that one within another can go back to it. */
const scopes = new WeakMap<Db, Scope>()
const turns = new WeakMap<Db, Promise<unknown>>()

function isPool(db: Db): db is Database {
  return 'begin' in db
}

const keys = [
  'purpose',
  'party',
  'firms',
  'mailbox',
  'mailboxes',
  'watched',
  'fileIn',
  'senders',
  'services',
  'categories',
  'isHelper',
  'organisation',
  'ownServices',
] as const

/** An expression that makes the settings of a scope until the end of the transaction. Lists go as PostgreSQL writes arrays. */
function settings(db: Db, scope: Scope, only: readonly (keyof Scope)[]): Fragment {
  const values = only.map((key) => {
    const value = scope[key]
    return Array.isArray(value) ? `{${value.map((item) => JSON.stringify(item)).join()}}` : String(value ?? '')
  })
  return db`(
    select count(set_config('post.' || key, value, true)) from unnest(${only as string[]}::text[], ${values}::text[]) as setting (key, value)
  )`
}

/** In a new transaction nothing is set: what a scope does not say need not be unsaid. */
function said(scope: Scope): readonly (keyof Scope)[] {
  return keys.filter((key) => scope[key] !== undefined)
}

/** Sets the scope until the end of the transaction. It travels with the next statement, and is not waited for. */
function set(db: Db, scope: Scope, only: readonly (keyof Scope)[] = keys): void {
  scopes.set(db, scope)
  db`select ${settings(db, scope, only)}`.catch(() => {
    // The transaction has failed then, and the statement that follows says so.
  })
}

/** The connection has closed, or the server has said that it closes it now. */
const lost = ['CONNECTION_CLOSED', 'CONNECTION_DESTROYED', '57P01', '57P02']

/**
 * The driver rolls back where a transaction's work fails, and does not see that the connection is gone: it writes to nothing, in a turn of
 * its own, which ends the program. A transaction whose connection has closed fails by that alone, so its work then says nothing more. Were the
 * connection another's, the server closes this one when it has been idle for too long.
 */
async function withoutRollback<Result>(work: Promise<Result>): Promise<Result> {
  return work.catch((error) => {
    if (lost.includes((error as { code?: string }).code ?? '')) return new Promise<never>(() => {})
    throw error
  })
}

/** Does `work` in a transaction that sees and changes only what the scope allows; inside another's, until `work` is done. */
export async function within<Result>(db: Db, scope: Scope, work: (sql: Db) => Promise<Result>): Promise<Result> {
  if (isPool(db)) {
    return db.begin((sql) => {
      set(sql, scope, said(scope))
      return withoutRollback(work(sql))
    }) as Promise<Result>
  }
  // One after another: what is done in a transaction has one scope at a time. Each has a handle of its own, which may go deeper.
  const turn = (turns.get(db) ?? Promise.resolve()).then(async () => {
    try {
      const inside = db.savepoint((sql) => {
        set(sql, scope)
        return withoutRollback(work(sql))
      })
      return (await withoutRollback(inside)) as Result
    } finally {
      set(db, scopes.get(db) ?? {})
    }
  })
  turns.set(
    db,
    turn.catch(() => {}),
  )
  return turn
}

/**
 * One query in a scope, in one way to the database: the setting is made by the same statement, before the query is begun, and
 * is gone when it ends. `query` must only read. It reads nothing where the order were ever another, as nothing is set then.
 */
export async function readWithin<Row extends object>(db: Db, scope: Scope, query: Fragment): Promise<Row[]> {
  if (!isPool(db)) return within(db, scope, async (sql) => sql<Row[]>`${query}`)
  const rows = await db<(Row & { isRow: true | null })[]>`
    select asked.* from (select ${settings(db, scope, said(scope))}) as scope
    left join lateral (select true as is_row, found.* from (${query}) as found) as asked on true`
  return rows.flatMap(({ isRow, ...row }) => (isRow ? [row as unknown as Row] : []))
}

/**
 * One statement that writes, in one way to the database, as `readWithin` reads. `statement` is handed the expression that sets
 * the scope, and takes care that it is worked out before any row of a table is asked for.
 */
export async function writeWithin<Row extends object>(
  db: Db,
  scope: Scope,
  statement: (sql: Db, setsScope: Fragment) => Fragment,
): Promise<Row[]> {
  if (!isPool(db)) return within(db, scope, async (sql) => sql<Row[]>`${statement(sql, sql`true`)}`)
  return db<Row[]>`${statement(db, settings(db, scope, said(scope)))}`
}

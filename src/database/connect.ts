import postgres, { type ISql, type Sql, type TransactionSql } from 'postgres'

/** A pool of connections. */
export type Database = Sql
/** The pool, or one transaction of it. A verb takes this and never reaches for another. */
export type Db = Sql | TransactionSql
/** A piece of SQL, to stand in another. */
export type Fragment = ReturnType<ISql['unsafe']> | postgres.PendingQuery<postgres.Row[]>

/** A statement that takes longer is given up by the server: a request must not wait for ever on a lock. */
const statementTimeoutMs = 15_000
const idleInTransactionTimeoutMs = 10_000

/**
 * Opens a pool. Columns come back in camelCase; `bigint` as text, as JavaScript's numbers cannot hold it.
 * `?host=/folder` in the address names the folder of a Unix socket, as libpq has it.
 */
export function connect(url: string, connections: number, parameters: Record<string, string> = {}): Database {
  const address = new URL(url)
  const socketFolder = address.searchParams.get('host')
  address.searchParams.delete('host')
  return postgres(address.href, {
    ...(socketFolder ? { host: socketFolder } : {}),
    max: connections,
    connect_timeout: 10,
    idle_timeout: 300,
    transform: { column: { from: postgres.toCamel } },
    connection: {
      application_name: 'digital-post',
      statement_timeout: statementTimeoutMs,
      idle_in_transaction_session_timeout: idleInTransactionTimeoutMs,
      // Every query here is small: compiling one would take longer than running it.
      jit: 'off',
      // Every statement here finds rows by their keys. A plan that was made while a table was small, or whose guess of a
      // number of rows is wrong, must not come to read a large table whole (docs/decisions/0004-one-statement.md).
      plan_cache_mode: 'force_generic_plan',
      enable_hashjoin: 'off',
      enable_mergejoin: 'off',
      enable_seqscan: 'off',
      ...parameters,
    },
    onnotice: () => {},
  })
}

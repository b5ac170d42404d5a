import postgres, { type ISql, type Sql, type TransactionSql } from 'postgres'
import { openTimeLimited } from './time-limited-socket.ts'

/** A pool of connections. */
export type Database = Sql
/** The pool, or one transaction of it. A verb takes this and never reaches for another. */
export type Db = Sql | TransactionSql
/** A piece of SQL, to stand in another. */
export type Fragment = ReturnType<ISql['unsafe']> | postgres.PendingQuery<postgres.Row[]>

/** A statement that takes longer is given up by the server: a request must not wait for ever on a lock. */
const statementTimeoutMs = 15_000
const idleInTransactionTimeoutMs = 10_000

/** Longer than the server's own limit: only a server that is not there any more keeps silent for so long. */
const silenceTimeoutMs = 20_000
const connectTimeoutMs = 10_000

/**
 * Opens a pool; a connection that keeps silent for `silenceMs` is given up, 0 is never. Columns come back in camelCase; `bigint` as text, as JavaScript's numbers cannot hold it.
 * `?host=/folder` in the address names the folder of a Unix socket, as libpq has it.
 */
export function connect(
  url: string,
  connections: number,
  parameters: Record<string, string> = {},
  silenceMs = silenceTimeoutMs,
): Database {
  const address = new URL(url)
  const socketFolder = address.searchParams.get('host')
  address.searchParams.delete('host')
  const port = Number(address.port || 5432)
  const server = socketFolder ? { path: `${socketFolder}/.s.PGSQL.${port}` } : { host: address.hostname, port }
  return postgres(address.href, {
    ...(socketFolder ? { host: socketFolder } : {}),
    max: connections,
    // The driver knows it, and its types do not.
    ...{ socket: () => openTimeLimited(server, connectTimeoutMs, silenceMs) },
    connect_timeout: connectTimeoutMs / 1_000,
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

/** An error as the log may hold it: PostgreSQL's messages and details can repeat the values of a row, which no log may. */
export function describeError(error: unknown): object {
  if (!(error instanceof Error)) return { error: typeof error }
  if (error.name !== 'PostgresError') return { err: error }
  const { code, table_name: table, constraint_name: constraint, routine } = error as unknown as Record<string, string>
  return { error: { name: error.name, code, table, constraint, routine, stack: error.stack?.split('\n').slice(1) } }
}

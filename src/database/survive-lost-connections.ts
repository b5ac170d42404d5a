import { describeError } from './describe-error.ts'

/**
 * The driver asks PostgreSQL for its array types on each new connection, and nobody waits for that answer: a connection that is lost in this very
 * moment would end the program. What is asked for over it is refused on its own, and tried again on another. Anything else that
 * nobody waits for is a fault, and ends the program as ever.
 */
export function surviveLostConnections(): void {
  process.on('unhandledRejection', (error) => {
    if ((error as { code?: string } | undefined)?.code !== 'CONNECTION_CLOSED') throw error
    console.error('A connection to the database was lost while it was made.', describeError(error))
  })
}

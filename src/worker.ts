import { Logger, parseCronItems, run } from 'graphile-worker'
import type { Config } from './config.ts'
import type { Database } from './database/connect.ts'
import { describeError } from './database/describe-error.ts'
import { deleteExpiredLinkRequests } from './registry/link-end.ts'
import { deleteExpiredSessions } from './sign-in/session.ts'

/** Jobs that one process works on at once. Each has a connection of the worker's own pool, beside that of the requests. */
const jobsAtOnce = 2

/**
 * The list of jobs: name, and the room's function. Any job may run twice, after a kill say, so each must be harmless again.
 * A job at fixed times runs in one process only, however many there are.
 */
const jobs = {
  'delete-expired-sessions': { cron: '*/10 * * * *', work: deleteExpiredSessions },
  'delete-expired-link-requests': {
    cron: '*/10 * * * *',
    work: (database: Database, _config: Config, now: Date) => deleteExpiredLinkRequests(database, now),
  },
} as const

/** Works on jobs until it is stopped; `stop` waits for those under way. */
export async function startWorker(
  config: Config,
  databaseUrl: string,
  database: Database,
  clock = () => new Date(),
): Promise<{ stop: () => Promise<void> }> {
  const runner = await run({
    connectionString: databaseUrl,
    concurrency: jobsAtOnce,
    maxPoolSize: jobsAtOnce + 2,
    noHandleSignals: true,
    logger: new Logger(() => (level, message) => {
      if (level === 'error' || level === 'warning') console.error(message)
    }),
    taskList: Object.fromEntries(Object.entries(jobs).map(([name, { work }]) => [name, () => work(database, config, clock())])),
    parsedCronItems: parseCronItems(
      Object.entries(jobs).map(([task, { cron }]) => ({ task, match: cron, options: { maxAttempts: 3 } })),
    ),
  })
  // The program goes on without its worker, and says so; nothing that people or systems wait for is a job.
  runner.promise.catch((error) => console.error('The worker has ended; restart the program.', describeError(error)))
  return { stop: () => runner.stop() }
}

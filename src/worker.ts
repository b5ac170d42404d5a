import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { Logger, parseCronItems, run } from 'graphile-worker'
import { contactOptions } from './alerts/contact-detail.ts'
import { deleteOldAlerts } from './alerts/delete-old-alerts.ts'
import { openChannels } from './alerts/open-channels.ts'
import { sendOutgoing } from './alerts/send-outgoing.ts'
import type { Config } from './config.ts'
import type { Database } from './database/connect.ts'
import { describeError } from './database/describe-error.ts'
import { connectOwner } from './database/roles.ts'
import { deleteOldUploads } from './delivery/delete-old-uploads.ts'
import { forgetRows } from './delivery/forget-rows.ts'
import { releaseAll } from './delivery/release.ts'
import { sendDueDrafts } from './delivery/send-due-drafts.ts'
import { workOnMailings } from './delivery/work-on-mailings.ts'
import { every, type Loop } from './every.ts'
import { audit, auditKeysOf } from './evidence/audit.ts'
import { deliverWebhook, findDueWebhooks } from './evidence/deliver-webhooks.ts'
import { eraseOldEvidence } from './evidence/erase-old-evidence.ts'
import { followWebhooks } from './evidence/follow-webhooks.ts'
import { noteAlive } from './evidence/note-alive.ts'
import { openEvidence } from './evidence/open-evidence.ts'
import { webhookReach } from './evidence/post-event.ts'
import { eraseOldFromBins } from './mailbox/erase.ts'
import { indexNextMailbox } from './mailbox/index-documents.ts'
import { deriveIdentifierKeys } from './registry/identifier.ts'
import { deleteExpiredLinkRequests } from './registry/link-end.ts'
import { readSchemes } from './registry/scheme.ts'
import type { SequencerData } from './sequencer.ts'
import { deleteExpiredForms } from './sign-in/kept-form.ts'
import { deleteExpiredSessions } from './sign-in/session.ts'

/** Jobs that one process works on at once. Each has a connection of the worker's own pool, beside that of the requests. */
const jobsAtOnce = 2

const outgoingBeatMs = 1_000
const webhookBeatMs = 1_000
/** Webhooks that one process delivers to at once: each has some connections to its receiver, and for moments as many to the database. */
const webhooksAtOnce = 64
const aliveBeatMs = 10_000
const searchBeatMs = 1_000
const releaseBeatMs = 1_000
const mailingBeatMs = 1_000

/** The program's own pool; and where it, the owner of the tables and the worker connect to. */
export type Databases = { database: Database; programUrl: string; ownerUrl: string; jobsUrl: string }

/**
 * The list of jobs: name, and the room's function. Any job may run twice, after a kill say, so each must be harmless again.
 * A job at fixed times runs in one process only, however many there are.
 */
const jobs = {
  'delete-expired-sessions': {
    cron: '*/10 * * * *',
    work: ({ database }: Databases, config: Config, now: Date) => deleteExpiredSessions(database, config, now),
  },
  'delete-expired-link-requests': {
    cron: '*/10 * * * *',
    work: ({ database }: Databases, _config: Config, now: Date) => deleteExpiredLinkRequests(database, now),
  },
  'delete-expired-forms': {
    cron: '*/10 * * * *',
    work: ({ database }: Databases, _config: Config, now: Date) => deleteExpiredForms(database, now),
  },
  'send-due-drafts': {
    cron: '* * * * *',
    work: ({ database }: Databases, config: Config, now: Date) => sendDueDrafts(database, identifierKeysOf(config), now),
  },
  'forget-rows': {
    cron: '*/10 * * * *',
    work: ({ database }: Databases, _config: Config, now: Date) => forgetRows(database, now),
  },
  'delete-old-uploads': {
    cron: '20 * * * *',
    work: ({ database }: Databases, _config: Config, now: Date) => deleteOldUploads(database, now),
  },
  'delete-old-alerts': {
    cron: '40 1 * * *',
    work: ({ database }: Databases, _config: Config, now: Date) => deleteOldAlerts(database, now),
  },
  'erase-old-evidence': {
    cron: '10 1 * * *',
    work: ({ database }: Databases, { evidence }: Config, now: Date) => eraseOldEvidence(database, evidence.years, now),
  },
  'erase-old-from-bins': {
    cron: '50 0 * * *',
    work: ({ database }: Databases, { binDays }: Config, now: Date) => eraseOldFromBins(database, binDays, now),
  },
  'audit-evidence': { cron: '30 2 * * *', work: auditEvidence },
} as const

const identifierKeysOf = (config: Config) => deriveIdentifierKeys(config.secretKey, readSchemes(config.identifierSchemes, config))

/** Every night. What does not fit is said in the log of the program, without a word of what it is about. */
async function auditEvidence({ ownerUrl }: Databases, config: Config, now: Date): Promise<void> {
  const owner = connectOwner(ownerUrl, 2)
  try {
    const { findings } = await audit(owner, await auditKeysOf(owner, openEvidence(config)), config.evidence.years, now)
    for (const finding of findings) console.error('The evidence does not fit what is there.', finding)
  } finally {
    await owner.end({ timeout: 5 })
  }
}

/** What must not wait for the next minute. Every process does it, a beat after it did so last; of several at once most find nothing to do. */
function startBeats(config: Config, { database, programUrl }: Databases, clock: () => Date): Loop {
  const keys = identifierKeysOf(config)
  const beats = [
    startSequencer(config, programUrl),
    startWebhooks(config, database, clock),
    startOutgoing(config, database, clock),
    watchOutages(config, database),
    startIndexing(database, clock),
    every('Mailings', mailingBeatMs, (signal) => workOnMailings(database, keys, config, clock, signal)),
    every('Letters whose time has come', releaseBeatMs, (signal) => releaseAll(database, clock, signal)),
  ]
  return { stop: async () => void (await Promise.all(beats.map((beat) => beat.stop()))) }
}

/** How long after the thread of the sequencer ended by itself it is started again. */
const threadAgainMs = 5_000

/** Sealing is the program's most work after accepting, so it has a thread of its own (sequencer.ts): no request waits for it. */
function startSequencer(config: Config, programUrl: string): Loop {
  let isStopping = false
  let again: NodeJS.Timeout | undefined
  let thread = start()
  function start(): Worker {
    const data: SequencerData = { config, programUrl }
    const started = new Worker(new URL('./sequencer.ts', import.meta.url), { workerData: data })
    started.on('error', (error) => console.error('The log’s thread has ended, and is started again.', describeError(error)))
    started.once('exit', () => {
      if (!isStopping) again = setTimeout(startAgain, threadAgainMs)
    })
    return started
  }
  function startAgain() {
    thread = start()
  }
  return {
    async stop() {
      isStopping = true
      clearTimeout(again)
      if (thread.threadId === -1) return
      const ended = once(thread, 'exit')
      thread.postMessage('stop')
      await ended
    },
  }
}

/** Tells webhooks of what happens. A receiver that is slow holds up only what is for it. */
export function startWebhooks(config: Config, database: Database, clock: () => Date): Loop {
  const ending = new AbortController()
  const options = { ...webhookReach(config), clock, signal: ending.signal }
  const underWay = new Map<string, Promise<void>>()
  const deliver = (serviceId: string) =>
    deliverWebhook(database, serviceId, options)
      .catch((error) => console.error('Delivering to a webhook: not done, and tried again soon.', describeError(error)))
      .finally(() => underWay.delete(serviceId))
  const beat = every('Webhooks', webhookBeatMs, async () => {
    if ((await followWebhooks(database, clock())) === 0) return
    for (const serviceId of await findDueWebhooks(database, clock())) {
      if (!underWay.has(serviceId) && underWay.size < webhooksAtOnce) underWay.set(serviceId, deliver(serviceId))
    }
  })
  return {
    async stop() {
      ending.abort()
      await beat.stop()
      await Promise.all(underWay.values())
    },
  }
}

/** Sends e-mail and SMS. Somebody waits for a code, so this does not wait for a minute to end as jobs do. */
export function startOutgoing(config: Config, database: Database, clock: () => Date): Loop {
  const channels = openChannels(config)
  if (Object.keys(channels).length === 0) return { stop: async () => {} }
  const { keys } = contactOptions(config)
  return every('Sending messages', outgoingBeatMs, (signal) => sendOutgoing(database, { keys, channels, clock, signal }))
}

/** What somebody has searched is read to its end, documents too, one mailbox after another. */
function startIndexing(database: Database, clock: () => Date): Loop {
  return every('Reading letters for search', searchBeatMs, async (signal) => {
    while (!signal.aborted && (await indexNextMailbox(database, clock()))) {
      // The mailbox that waits longest is next.
    }
  })
}

/** By the database's clock: several processes have one, and so none sees a pause where its own clock is another. */
function watchOutages(config: Config, database: Database): Loop {
  return every('Noting that the program works', aliveBeatMs, async () => {
    const [row] = await database<{ now: Date }[]>`select clock_timestamp() as now`
    await noteAlive(database, config, row!.now)
  })
}

/** Works on jobs until it is stopped; `stop` waits for those under way. */
export async function startWorker(config: Config, databases: Databases, clock = () => new Date()): Promise<Loop> {
  const runner = await run({
    connectionString: databases.jobsUrl,
    concurrency: jobsAtOnce,
    maxPoolSize: jobsAtOnce + 2,
    noHandleSignals: true,
    logger: new Logger(() => (level, message) => {
      if (level === 'error' || level === 'warning') console.error(message)
    }),
    taskList: Object.fromEntries(
      Object.entries(jobs).map(([name, { work }]) => [name, async () => void (await work(databases, config, clock()))]),
    ),
    parsedCronItems: parseCronItems(
      Object.entries(jobs).map(([task, { cron }]) => ({ task, match: cron, options: { maxAttempts: 3 } })),
    ),
  })
  // The program goes on without its worker, and says so; nothing that people or systems wait for is a job.
  runner.promise.catch((error) => console.error('The worker has ended; restart the program.', describeError(error)))
  const beats = startBeats(config, databases, clock)
  return { stop: async () => void (await Promise.all([runner.stop(), beats.stop()])) }
}

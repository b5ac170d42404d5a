import type { Database } from '../database/connect.ts'
import { readWithin } from '../database/scope.ts'

/** Heard by every process when it is committed. */
export const clientChannel = 'client_changed'

/** Where nothing is heard (a listener that is lost without a sign, a pooler that passes nothing on), a change holds after this. */
const pollEveryMs = 3_000
/** Not having been told anything for so long, no token is believed. */
const trustedForMs = 30_000
/** Longer than any access token lives, and clocks of two machines differ: older changes concern no token that there is. */
const changesOfMinutes = 30

export type ClientWatch = {
  /** Whether a token may be believed that was made for this version of the client. Asks the database only the first time. */
  isCurrent: (clientId: string, version: number) => Promise<boolean>
  stop: () => Promise<void>
}

/**
 * Knows which access tokens have been overtaken: their system has been switched off, or has lost a key, a scope or a service.
 * Held in memory, as a token is believed without a query; begun with the first token that is shown.
 */
export function watchClients(database: Database, clock: () => Date): ClientWatch {
  /** Of those that have changed lately. */
  let versions = new Map<string, number>()
  let loadedAtMs = Number.NEGATIVE_INFINITY
  let loading: Promise<void> | undefined
  let isWantedAgain = false
  let timer: NodeJS.Timeout | undefined
  let listening: Promise<{ unlisten: () => Promise<void> } | undefined> | undefined

  async function read(): Promise<void> {
    const since = new Date(clock().getTime() - changesOfMinutes * 60_000)
    const rows = await readWithin<{ id: string; version: number }>(
      database,
      { purpose: 'sign-in' },
      database`select id, version from client where changed_at > ${since}`,
    )
    versions = new Map(rows.map(({ id, version }) => [id, version]))
    loadedAtMs = performance.now()
  }

  /** One at a time, and once more where something was heard meanwhile: an older answer never takes the place of a newer. */
  function load(): Promise<void> {
    isWantedAgain = true
    loading ??= (async () => {
      while (isWantedAgain) {
        isWantedAgain = false
        await read()
      }
    })().finally(() => {
      loading = undefined
    })
    return loading
  }

  const reload = () => {
    // A failure shows itself by the time that passes.
    load().catch(() => undefined)
  }

  function start(): void {
    // `reload` also where the connection was lost and is there again, as something may have been missed.
    listening = database.listen(clientChannel, reload, reload).catch(() => undefined)
    timer = setInterval(reload, pollEveryMs).unref()
  }

  return {
    async isCurrent(clientId, version) {
      if (listening === undefined) start()
      if (performance.now() - loadedAtMs > trustedForMs) await load()
      return version >= (versions.get(clientId) ?? 0)
    },
    async stop() {
      clearInterval(timer)
      await loading?.catch(() => undefined)
      await (await listening)?.unlisten().catch(() => undefined)
    },
  }
}

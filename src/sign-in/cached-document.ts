/** An answer to a direct call, once it has come whole. */
export type Fetch = (url: string, options?: RequestInit) => Promise<Response>

/** The provider did not answer, or said itself that it cannot. */
export class Unreachable extends Error {}

const timeLimitMs = 10_000
/** Between two tries to fetch a document anew: after a failure, or when a key is asked for that it does not hold. */
const pauseMs = 60_000

/** Every call to a provider: with the name that One Login asks for (without one it answers 403), and a limit of time. */
export function directCalls(userAgent: string): Fetch {
  return async (url, options) => {
    const headers = new Headers(options?.headers)
    headers.set('user-agent', userAgent)
    let response: Response
    try {
      response = await fetch(url, { ...options, headers, redirect: 'manual', signal: AbortSignal.timeout(timeLimitMs) })
    } catch (cause) {
      throw new Unreachable('no answer', { cause })
    }
    if (response.status >= 500) throw new Unreachable(`answered ${response.status}`)
    return response
  }
}

export type CachedDocument = {
  /** The document, fetched when there is none yet or it is too old. With `again`, also when it is not, but not too often. */
  read: (now: Date, again?: boolean) => Promise<unknown>
}

/**
 * A JSON document of a provider, kept for as long as its Cache-Control says. When it cannot be fetched anew the copy goes
 * on being trusted, as One Login asks: keys are announced long before they are used, and an outage must sign nobody out.
 */
export function cacheDocument(call: Fetch, url: string, otherwiseMaxAgeSeconds: number): CachedDocument {
  let copy: { document: unknown } | undefined
  let freshUntil = 0
  let triedAt = Number.NEGATIVE_INFINITY
  let underWay: Promise<void> | undefined

  async function refresh(now: number): Promise<void> {
    triedAt = now
    try {
      const response = await call(url, { headers: { accept: 'application/json' } })
      if (!response.ok) throw new Unreachable(`answered ${response.status}`)
      const document: unknown = await response.json().catch((cause) => {
        throw new Unreachable('not JSON', { cause })
      })
      copy = { document }
      freshUntil = now + 1000 * maxAge(response.headers.get('cache-control'), otherwiseMaxAgeSeconds)
    } catch (error) {
      if (copy === undefined) throw error
      freshUntil = now + pauseMs
    }
  }

  return {
    async read(now, again = false) {
      const time = now.getTime()
      const wanted = copy === undefined || time >= freshUntil || (again && time - triedAt >= pauseMs)
      if (wanted) {
        underWay ??= refresh(time).finally(() => {
          underWay = undefined
        })
      }
      // Somebody else's refresh is waited for too: it may bring the key.
      if (wanted || again) await underWay
      return copy?.document
    },
  }
}

function maxAge(cacheControl: string | null, otherwise: number): number {
  const seconds = /(?:^|[\s,])max-age=(\d{1,9})/i.exec(cacheControl ?? '')?.[1]
  return seconds === undefined ? otherwise : Number(seconds)
}

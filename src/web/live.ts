import type { ServerResponse } from 'node:http'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import type { Actor } from '../access/actor.ts'
import type { Config } from '../config.ts'
import type { Database } from '../database/connect.ts'
import { describeError } from '../database/describe-error.ts'
import { readState, readStates } from '../mailbox/watch-mailboxes.ts'
import { Problem } from '../problems.ts'
import { watchSession } from '../sign-in/session.ts'
import { sessionCookies } from './session.ts'

/** Every process asks this often for all windows that are open, and only while there are any. */
const beatMs = 2_000
/** Whether the session still holds is asked less often. Also how long a proxy hears nothing at most. */
const checkMs = 15_000
const streamsOfSession = 5
const streamsInAll = 5_000
/** A browser that reads so little is gone. */
const bytesUnreadMax = 16_384
const reconnectMs = 5_000

type Stream = { token: string; actor: Actor; state: string; checkedAt: number; response: ServerResponse }

export type LiveOptions = { config: Config; database: Database; clock: () => Date }

/**
 * Tells a window that its mailbox looks different now, by an opaque state and without a word of what is in it: the window asks for
 * its own page again. A stream begins with the state of its moment; with `?once` it ends there.
 */
export function livePage(app: FastifyInstance, options: LiveOptions): void {
  const { config, database } = options
  const cookie = sessionCookies(config.baseUrl).person
  const live = openStreams(options)
  app.addHook('preClose', () => live.stop())
  const schema = { querystring: Type.Object({ once: Type.Optional(Type.String()) }) }
  app.withTypeProvider<TypeBoxTypeProvider>().get('/live', { schema, logLevel: 'warn' }, async (request, reply) => {
    const { signedIn } = request
    // Not sent to sign in: a script would follow it there.
    if (signedIn?.role !== 'person') return reply.code(401).send()
    const state = await readState(database, signedIn.actor)
    reply.header('cache-control', 'no-store')
    reply.hijack()
    const headers = { ...reply.getHeaders(), 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' }
    reply.raw.writeHead(200, headers as Record<string, string>)
    reply.raw.write(`retry: ${reconnectMs}\nevent: state\ndata: ${state}\n\n`)
    const token = request.cookies[cookie.name]!
    const stream = { token, actor: signedIn.actor, state, checkedAt: options.clock().getTime(), response: reply.raw }
    if (request.query.once === undefined) live.add(stream)
    else live.end(stream)
  })
}

function openStreams({ config, database, clock }: LiveOptions) {
  const streams = new Set<Stream>()
  let timer: NodeJS.Timeout | undefined

  const close = (stream: Stream) => {
    streams.delete(stream)
    stream.response.end()
  }
  /** For good: without it the browser comes again. */
  const end = (stream: Stream) => {
    stream.response.write('event: end\ndata:\n\n')
    close(stream)
  }
  const tell = (stream: Stream, state: string | undefined) => {
    if (state === undefined || state === stream.state) return
    stream.state = state
    stream.response.write(`event: state\ndata: ${state}\n\n`)
  }
  /** Ended by signing out, by time, or by another mailbox that was opened in the same session. */
  const check = async (stream: Stream, now: Date) => {
    stream.checkedAt = now.getTime()
    const session = await watchSession(database, config, stream.token, stream.actor.requestId, now)
    const isSame = session?.role === 'person' && !session.hasLostAccess && session.actor.mailboxId === stream.actor.mailboxId
    if (!isSame || stream.response.writableLength > bytesUnreadMax) return end(stream)
    stream.actor = session.actor
    stream.response.write(':\n\n')
  }
  const beat = async () => {
    const now = clock()
    for (const stream of [...streams]) if (now.getTime() - stream.checkedAt >= checkMs) await check(stream, now)
    const [owners, helpers] = [[...streams].filter(isOwners), [...streams].filter((stream) => !isOwners(stream))]
    const mailboxIds = [...new Set(owners.map(({ actor }) => actor.mailboxId))]
    const states = mailboxIds.length > 0 ? await readStates(database, mailboxIds) : new Map<string, string>()
    for (const stream of owners) tell(stream, states.get(stream.actor.mailboxId))
    // Each by what they may see.
    for (const stream of helpers) tell(stream, await stateFor(stream.actor))
  }
  const stateFor = (actor: Actor) =>
    readState(database, actor).catch((error) => {
      if (error instanceof Problem) return undefined
      throw error
    })
  const goOn = () => {
    timer = setTimeout(async () => {
      await beat().catch((error) => console.error('Telling open windows: not done, and tried again soon.', describeError(error)))
      timer = undefined
      if (streams.size > 0) goOn()
    }, beatMs)
  }

  return {
    end,
    /** The window that came last is looked at: of too many of one session, the oldest ends. */
    add(stream: Stream) {
      if (streams.size >= streamsInAll) return end(stream)
      const ofSession = [...streams].filter(({ token }) => token === stream.token)
      if (ofSession.length >= streamsOfSession) end(ofSession[0]!)
      streams.add(stream)
      stream.response.on('close', () => streams.delete(stream))
      stream.response.on('error', () => streams.delete(stream))
      if (timer === undefined) goOn()
    },
    async stop() {
      clearTimeout(timer)
      for (const stream of [...streams]) close(stream)
    },
  }
}

function isOwners({ actor }: Stream): boolean {
  return actor.by.kind === 'owner'
}

import type { LightMyRequestResponse } from 'fastify'
import { type Caller, callers } from './callers.ts'
import { type Expectation, expectations, judgeCaller, nameOfRoute, type Outcome } from './expectations.ts'
import type { Thing } from './things.ts'
import type { World } from './world.ts'

/** One caller asks one route for one thing. `expected` is undefined where nothing is said of it but what must not be shown. */
export type Question = {
  route: string
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  address: string
  caller: Caller
  thing: Thing
  expected: Outcome | 'empty' | undefined
  /** When it is asked: what changes nothing that others are asked about comes first. */
  turn: 0 | 1 | 2
  as: 'fields' | 'multipart' | 'json' | 'lines' | 'bytes'
  body: Record<string, unknown>
}

export type Answer = {
  question: Question
  status: number
  outcome: Outcome
  /** Without what differs from one request to the next: to compare. */
  bare: string
  /** What it says that its caller may see, and what they may not. */
  shown: string[]
  leaks: string[]
}

const nothing: Thing = { name: 'nothing', isFor: callers }

/** Every route × every caller × everything that the route can be asked for. */
export function listQuestions({ app, things }: World): Question[] {
  return app.routeTable.flatMap((entry) => {
    const route = nameOfRoute(entry)
    const expectation = route === undefined ? undefined : expectations[route]
    if (route === undefined || expectation === undefined || expectation === 'stand-in') return []
    const asked = (isPublic(expectation) ? undefined : expectation.what && things[expectation.what]) ?? [nothing]
    return callers.flatMap((caller) =>
      asked.flatMap((thing, place): Question[] => {
        const { as = 'fields', body = {}, changes: turn = 0 } = isPublic(expectation) ? {} : expectation
        const expected = expect(expectation, entry.method, caller, thing)
        // At the wrong door one thing is like another: one that is there and one that is not are enough.
        if (isWrongDoor(expected) && place > 0 && place < asked.length - 1) return []
        const [method, address] = [entry.method as Question['method'], addressOf(entry.url, thing)]
        return [{ route, method, address, caller, thing, expected, turn, as, body }]
      }),
    )
  })
}

/** Whoever comes there gets no further than to be sent elsewhere, and to no table. */
export function isWrongDoor(expected: Question['expected']): boolean {
  return expected === 'sign-in' || expected === 'unauthorised'
}

const isPublic = (expectation: Expectation): expectation is 'public' | 'stand-in' => typeof expectation === 'string'

function expect(expectation: Expectation, method: string, caller: Caller, thing: Thing): Question['expected'] {
  if (isPublic(expectation)) return undefined
  const judged = judgeCaller(expectation.who, caller)
  const outcome = judged === 'sign-in' ? (expectation.signedOut ?? judged) : judged
  // A form of the other kind of mailbox leads nowhere.
  if (outcome === 'elsewhere' && method === 'POST') return 'missing'
  if (outcome !== 'ok' || thing.isFor.includes(caller)) return outcome
  if (thing.isDeniedTo?.includes(caller)) return 'denied'
  return expectation.hidden ?? 'missing'
}

function addressOf(url: string, { params = {}, query = '' }: Thing): string {
  return url.replace(/:(\w+)/g, (_, name) => params[name] ?? 'nothing') + query
}

/** Asks, and looks at what comes back. */
export async function ask({ app, signedIn, secrets }: World, question: Question): Promise<Answer> {
  const { caller, method, address } = question
  await signedIn.reopen(caller)
  // What is public takes no form of ours, but for signing out, which nobody means here.
  const form =
    method === 'POST' || method === 'PUT' || method === 'PATCH'
      ? await encode(question, question.expected ? signedIn.formTokenOf(caller) : '')
      : undefined
  const headers = { 'user-agent': 'matrix', ...signedIn.headersOf(caller), ...form?.headers }
  const answer = await app.inject({ method, url: address, headers, ...(form ? { payload: form.payload } : {}) })
  const text = `${JSON.stringify(answer.headers)}\n${answer.body}`
  const sent = address + JSON.stringify(question.body) + JSON.stringify(question.thing)
  return {
    question,
    status: answer.statusCode,
    outcome: outcomeOf(answer, method),
    bare: isAsked(question) ? strip(answer, question) : '',
    ...secrets.readAnswer(caller, text, sent),
  }
}

/** Of each caller one after another, and callers beside each other. */
export async function askAll(world: World, questions: readonly Question[]): Promise<Answer[]> {
  const queues = Map.groupBy(questions, ({ caller }) => caller)
  const answers = await Promise.all(
    [...queues.values()].map(async (queue) => {
      const answered: Answer[] = []
      for (const question of queue) answered.push(await ask(world, question))
      return answered
    }),
  )
  return answers.flat()
}

/** Only what is refused, or shown empty, is compared. */
const isAsked = ({ expected }: Question) => expected !== undefined && expected !== 'ok'

async function encode({ as, thing, body }: Question, csrf: string) {
  const fields = Object.hasOwn(body, 'change') ? body : { ...body, ...thing.fields }
  if (as === 'json') return { headers: { 'content-type': 'application/json' }, payload: JSON.stringify(fields) }
  if (as === 'lines') return { headers: { 'content-type': 'application/x-ndjson' }, payload: `${JSON.stringify(body)}\n` }
  if (as === 'bytes')
    return { headers: { 'content-type': 'application/offset+octet-stream', 'upload-offset': '0' }, payload: 'x' }
  const texts = Object.entries({ ...thing.fields, csrf, reference: '00000000-0000-7000-8000-000000000000' })
  if (as === 'fields') {
    return {
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: new URLSearchParams(Object.fromEntries(texts)).toString(),
    }
  }
  const form = new FormData()
  for (const [name, value] of texts) form.set(name, value)
  const encoded = new Response(form)
  return {
    headers: { 'content-type': encoded.headers.get('content-type')! },
    payload: Buffer.from(await encoded.arrayBuffer()),
  }
}

function outcomeOf({ statusCode, headers }: LightMyRequestResponse, method: string): Outcome {
  const location = String(headers.location ?? '')
  if (/^\/((department|registrar)\/)?sign-in(\?|$)/.test(location)) return 'sign-in'
  if (method === 'GET' && /^\/(people|helpers)$/.test(location)) return 'elsewhere'
  if (statusCode >= 500) return 'failed'
  return ({ 401: 'unauthorised', 403: 'denied', 404: 'missing' } as const)[statusCode] ?? 'ok'
}

/** What may differ between two answers that must not tell two things apart: the time, the request, and what was asked for. */
function strip({ statusCode, headers, body }: LightMyRequestResponse, { thing, address }: Question): string {
  const { date: _, 'request-id': requestId, ...others } = headers
  const asked = [encodeURIComponent(address), ...Object.values(thing.params ?? {})]
  let text = `${statusCode} ${JSON.stringify(others)}\n${body}`.replaceAll(String(requestId), 'REQUEST')
  for (const one of asked) text = text.replaceAll(one, 'ASKED')
  // The same page in another language: the address that was asked for.
  text = text.replaceAll(/href="[^"]*[?;]lang=\w+"/g, 'ASKED')
  return text.replaceAll(/"content-length":"?\d+"?,?/g, '')
}

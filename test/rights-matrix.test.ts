import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { dropOwnConditions } from '../src/database/own.ts'
import { type Answer, ask, askAll, listQuestions, type Question } from './rights-matrix/ask.ts'
import { type Caller, ofCouncilTax } from './rights-matrix/callers.ts'
import { expectations, nameOfRoute } from './rights-matrix/expectations.ts'
import { fingerprint } from './rights-matrix/fingerprint.ts'
import { bulk } from './rights-matrix/letters.ts'
import type { Thing } from './rights-matrix/things.ts'
import { buildWorld, type World } from './rights-matrix/world.ts'

/** Whom the answer is expected to turn away, or to give nothing. */
const isRefusal = ({ expected }: Question) => expected !== undefined && expected !== 'ok'

const inWords = ({ question: { route, caller, thing, expected }, status, outcome }: Answer) =>
  `${route}, ${caller}, ${thing.name}: ${outcome} (${status})${expected === undefined ? '' : `, expected: ${expected}`}`
const leaksOf = (answers: readonly Answer[]) =>
  answers.filter(({ leaks }) => leaks.length > 0).map((answer) => `${inWords(answer)}: ${answer.leaks.join('; ')}`)

function assertNone(found: readonly string[], whatIsWrong: string): void {
  assert.ok(found.length === 0, `${whatIsWrong}\n  ${found.slice(0, 50).join('\n  ')}\n  ${found.length} in all`)
}

/** All that can be asked: what is refused first, so that it can be seen to change nothing; and what changes things last. */
async function askEverything(world: World): Promise<{ answers: Answer[]; changed: string[] }> {
  const questions = listQuestions(world)
  const atFirst = await fingerprint(world.test.owner)
  const refused = await askAll(world, questions.filter(isRefusal))
  const changed = atFirst.differencesFrom(await fingerprint(world.test.owner))
  await world.restore()
  const rest = questions.filter((question) => !isRefusal(question))
  const let_in = await askAll(
    world,
    rest.filter(({ changes }) => !changes),
  )
  const changing: Answer[] = []
  for (const question of rest.filter(({ changes }) => changes)) changing.push(await ask(world, question))
  return { answers: [...refused, ...let_in, ...changing], changed }
}

describe('the rights matrix', () => {
  let world: World
  let answers: Answer[]
  let changed: string[]
  let counted: { caller: Caller; found: number; expected: number }[]
  before(async () => {
    world = await buildWorld()
    counted = await countInboxes(world)
    ;({ answers, changed } = await askEverything(world))
  })
  after(() => world.stop())

  test('says of every route who may, and of no other', () => {
    const routes = new Set(world.app.routeTable.flatMap((route) => nameOfRoute(route) ?? []))
    assertNone(
      [...routes].filter((route) => !Object.hasOwn(expectations, route)),
      'Say in test/rights-matrix/expectations.ts who may do this:',
    )
    assertNone(
      Object.keys(expectations).filter((route) => !routes.has(route)),
      'These are no routes any more: take them out of test/rights-matrix/expectations.ts.',
    )
  })

  test('lets in who may, and refuses everybody else', (t) => {
    const wrong = answers.filter(({ question: { expected }, outcome }) => {
      if (expected === undefined) return outcome === 'failed'
      return outcome !== (expected === 'empty' ? 'ok' : expected)
    })
    const routes = new Set(answers.map(({ question }) => question.route)).size
    t.diagnostic(`${routes} routes, ${answers.length} answers, of which ${answers.filter((a) => isRefusal(a.question)).length} refusals`)
    assertNone(wrong.map(inWords), 'These were answered otherwise:')
  })

  test('shows nobody what is not theirs, in a page, a list, a search, an error or a header', () => {
    assertNone(leaksOf(answers), 'These say what their callers may not see:')
  })

  test('shows each thing to somebody who may see it, so that it would be noticed elsewhere', () => {
    const shown = new Set(answers.flatMap((answer) => answer.shown))
    assertNone(
      world.secrets.words().filter((what) => !shown.has(what)),
      'Nobody was shown these:',
    )
  })

  test('answers alike for what is somebody else’s and for what is not there', () => {
    const refused = answers.filter(({ question: { thing }, outcome }) => thing.isFor.length === 0 || outcome !== 'ok')
    const hidden = Map.groupBy(
      [...refused, ...answers.filter(({ question }) => question.expected === 'empty')],
      ({ question: { route, caller }, outcome }) => `${route}, ${caller}: ${outcome}`,
    )
    const different = [...hidden].filter(([, alike]) => new Set(alike.map(({ bare }) => bare)).size > 1)
    assertNone(
      different.map(([name, alike]) => `${name}\n${[...new Set(alike.map(({ bare }) => bare))].slice(0, 2).join('\n--\n')}`),
      'These answers differ, and so tell what there is:',
    )
  })

  test('changes nothing where it refuses', () => {
    assertNone(changed, 'Rows of these tables were changed by requests that were refused:')
  })

  test('counts for each reader what is theirs alone', () => {
    assert.ok(counted.length >= 15)
    for (const { caller, found, expected } of counted) assert.equal(found, expected, caller)
  })
})

/** What each reader is told of how much there is, before anybody has opened anything; and how much there should be. */
async function countInboxes(world: World): Promise<{ caller: Caller; found: number; expected: number }[]> {
  const { app, signedIn, letters } = world
  const expectedFor = (caller: Caller) => {
    const many = ['rosa', 'reader', 'writer'].includes(caller)
      ? bulk.lettersToRosa
      : (ofCouncilTax as readonly Caller[]).includes(caller)
        ? bulk.messagesOfRosa
        : 0
    return many + letters.filter(({ received }) => received.includes(caller)).length
  }
  const doors = {
    '/inbox': ['rosa', 'arthur', 'reader', 'writer', 'limited', 'narrow', 'employee', 'adviser'],
    '/department': ['staff', 'clerk', 'parkingStaff', 'pensionStaff'],
    '/v1/inbox?limit=100': ['system', 'parkingSystem', 'pensionSystem'],
  } as const satisfies Record<string, readonly Caller[]>
  const counts = Object.entries(doors).flatMap(([url, callers]) =>
    callers.map(async (caller) => {
      const { body } = await app.inject({ url, headers: signedIn.headersOf(caller) })
      const found = url.startsWith('/v1') ? JSON.parse(body).messages.length : Number(/Inbox \((\d+) unread\)/.exec(body)?.[1])
      return { caller, found, expected: expectedFor(caller) }
    }),
  )
  return Promise.all(counts)
}

describe('the database alone, with the application’s own conditions off', () => {
  let world: World
  let answers: Answer[]
  let changed: string[]
  before(async () => {
    world = await buildWorld()
    world.secrets.askRowsOnly()
    const bringBack = dropOwnConditions()
    try {
      ;({ answers, changed } = await askEverything(world))
    } finally {
      bringBack()
    }
  })
  after(() => world.stop())

  test('shows nobody what is not theirs', () => {
    assertNone(leaksOf(answers), 'Row-level security lets these through:')
  })

  test('changes nothing of anybody else’s', () => {
    assertNone(changed, 'Row-level security lets these tables be changed:')
  })
})

describe('the other lock, and none', () => {
  let world: World
  let reading: Question[]
  before(async () => {
    world = await buildWorld()
    const { owner } = world.test
    const tables = await owner<{ name: string }[]>`
      select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')`
    for (const { name } of tables) await owner`alter table ${owner(name)} disable row level security`
    reading = listQuestions(world).filter(({ method, expected }) => method === 'GET' && mayComeIn(expected))
  })
  after(() => world.stop())
  const mayComeIn = (expected: Question['expected']) => expected === 'ok' || expected === 'missing' || expected === 'empty'

  test('the application alone, with row-level security off, shows nobody what is not theirs', async () => {
    assertNone(leaksOf(await askAll(world, reading)), 'Only row-level security holds these back:')
  })

  test('with both off everybody’s post is shown, so that each is seen to hold', async (t) => {
    const bringBack = dropOwnConditions()
    try {
      const leaking = (await askAll(world, reading)).filter(({ leaks }) => leaks.length > 0)
      const routes = new Set(leaking.map(({ question }) => question.route))
      t.diagnostic(`${leaking.length} answers of ${routes.size} routes leak: ${[...routes].sort().join(', ')}`)
      const known = ['GET /inbox', 'GET /letters/:id', 'GET /sent', 'GET /department', 'GET /v1/inbox', 'GET /v1/messages/:id']
      assert.deepEqual(known.filter((route) => !routes.has(route)), [])
    } finally {
      bringBack()
    }
  })
})

describe('a system of another service', () => {
  let world: World
  before(async () => {
    world = await buildWorld()
  })
  after(() => world.stop())
  const post = async (caller: Caller, url: string, body: object) => {
    const { statusCode, body: text } = await world.app.inject({
      method: 'POST',
      url,
      headers: world.signedIn.headersOf(caller),
      payload: body,
    })
    return { statusCode, text }
  }

  test('learns nothing of a number by which only the first service knows somebody', async () => {
    const [rosas, nobodys] = world.things.number as [Thing, Thing]
    const lookUp = async (caller: Caller, { fields }: Thing) => {
      const { statusCode, text } = await post(caller, '/v1/recipients/lookup', {
        recipients: [{ scheme: 'link', value: fields!.value }],
      })
      return `${statusCode} ${text.replaceAll(fields!.value!, 'ASKED')}`
    }
    assert.notEqual(await lookUp('system', rosas), await lookUp('system', nobodys))
    for (const caller of ['parkingSystem', 'pensionSystem'] as const) {
      assert.equal(await lookUp(caller, rosas), await lookUp(caller, nobodys))
    }
  })

  test('cannot tell a message that it may not answer from one that is not there', async () => {
    const answer = async (caller: Caller, service: string, answers: string) => {
      const content = [{ language: 'en', body: 'An answer.' }]
      const { statusCode, text } = await post(caller, '/v1/messages', {
        service,
        reference: `${caller} ${answers}`,
        answers,
        subject: 'An answer',
        content,
      })
      return statusCode === 201 ? 'sent' : `${statusCode} ${text}`
    }
    const { id } = world.letters.find(({ name }) => name === 'a message of Rosa')!
    const nothing = crypto.randomUUID()
    assert.equal(await answer('system', 'council-tax', id), 'sent')
    assert.equal(await answer('parkingSystem', 'parking', id), await answer('parkingSystem', 'parking', nothing))
    assert.equal(await answer('pensionSystem', 'state-pension', id), await answer('pensionSystem', 'state-pension', nothing))
  })
})

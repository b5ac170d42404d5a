import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { dropOwnConditions } from '../src/database/own.ts'
import { type Answer, ask, askAll, isWrongDoor, listQuestions, type Question } from './rights-matrix/ask.ts'
import { type Caller, ofCouncilTax } from './rights-matrix/callers.ts'
import { expectations, nameOfRoute } from './rights-matrix/expectations.ts'
import { fingerprint } from './rights-matrix/fingerprint.ts'
import { bulk } from './rights-matrix/letters.ts'
import type { Thing } from './rights-matrix/things.ts'
import { buildWorld, type World } from './rights-matrix/world.ts'

/** Whom the answer is expected to turn away, or to give nothing. */
const isRefusal = ({ expected }: Question) => expected !== undefined && expected !== 'ok'

const inWords = ({ question: { route, caller, thing, expected }, status, outcome }: Answer) => {
  const isAsExpected = expected === undefined || expected === outcome
  return `${route}, ${caller}, ${thing.name}: ${outcome} (${status})${isAsExpected ? '' : `, expected: ${expected}`}`
}
const leaksOf = (answers: readonly Answer[]) =>
  answers.filter(({ leaks }) => leaks.length > 0).map((answer) => `${inWords(answer)}: ${answer.leaks.join('; ')}`)

function assertNone(found: readonly string[], whatIsWrong: string): void {
  assert.ok(found.length === 0, `${whatIsWrong}\n  ${found.slice(0, 50).join('\n  ')}\n  ${found.length} in all`)
}

/**
 * Asks all of it: first what must change nothing, so that this can be seen, and last what changes what others are asked about.
 * `changed` are the tables in which the first have changed something.
 */
async function askInTurn(
  world: World,
  questions: readonly Question[],
  changesNothing: (question: Question) => boolean,
): Promise<{ answers: Answer[]; changed: string[] }> {
  const atFirst = await fingerprint(world.test.owner)
  const answers = await askAll(world, questions.filter(changesNothing))
  const changed = atFirst.differencesFrom(await fingerprint(world.test.owner))
  await world.restore()
  const rest = Map.groupBy(
    questions.filter((question) => !changesNothing(question)),
    ({ turn }) => turn,
  )
  answers.push(...(await askAll(world, rest.get(0) ?? [])))
  for (const question of [...(rest.get(1) ?? []), ...(rest.get(2) ?? [])]) answers.push(await ask(world, question))
  return { answers, changed }
}

describe('the rights matrix', () => {
  let world: World
  let answers: Answer[]
  let changed: string[]
  let lookedUp: Record<string, string>
  let counted: { caller: Caller; found: number; expected: number }[]
  before(async () => {
    world = await buildWorld()
    counted = await countInboxes(world)
    lookedUp = await lookRosaUp(world)
    ;({ answers, changed } = await askInTurn(world, listQuestions(world), isRefusal))
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
    t.diagnostic(
      `${routes} routes, ${answers.length} answers, of which ${answers.filter((a) => isRefusal(a.question)).length} refusals`,
    )
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
    const hidden = answers.filter(({ question: { thing, caller, expected } }) => {
      return expected === 'empty' || (expected !== 'ok' && expected !== undefined && !thing.isDeniedTo?.includes(caller))
    })
    const alike = Map.groupBy(hidden, ({ question: { route, caller, thing } }) =>
      [route, caller, thing.isWithin ?? ''].join(', '),
    )
    const different = [...alike].filter(([, several]) => new Set(several.map(({ bare }) => bare)).size > 1)
    assert.ok(alike.size > 2_000)
    assertNone(
      different.map(
        ([name, several]) => `${name}: ${several.map(({ question, status }) => `${question.thing.name} ${status}`).join('; ')}`,
      ),
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

  test('tells a service nothing of a number by which only another knows somebody', () => {
    assert.deepEqual(lookedUp, { system: 'found', parkingSystem: 'as nobody', pensionSystem: 'as nobody' })
  })
})

describe('an answer of a service', () => {
  let world: World
  before(async () => {
    world = await buildWorld()
  })
  after(() => world.stop())

  test('is answered alike whether the message is another’s or not there', async () => {
    const answer = async (caller: Caller, service: string, answers: string) => {
      const content = [{ language: 'en', body: 'An answer.' }]
      const { statusCode, text } = await post(world, caller, '/v1/messages', {
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

/** As a system sends it. */
async function post({ app, signedIn }: World, caller: Caller, url: string, body: object) {
  const { statusCode, body: text } = await app.inject({
    method: 'POST',
    url,
    headers: signedIn.headersOf(caller),
    payload: body,
  })
  return { statusCode, text }
}

/** What each service is told of the number by which council tax knows Rosa, beside what it is told of one that is nobody’s. */
async function lookRosaUp(world: World): Promise<Record<string, string>> {
  const [rosas, nobodys] = world.things.number as [Thing, Thing]
  const lookUp = async (caller: Caller, { fields }: Thing) => {
    const recipients = [{ scheme: 'link', value: fields!.value }]
    const { statusCode, text } = await post(world, caller, '/v1/recipients/lookup', { recipients })
    return `${statusCode} ${text.replaceAll(fields!.value!, 'ASKED')}`
  }
  const found = (['system', 'parkingSystem', 'pensionSystem'] as const).map(async (caller) => {
    const isAlike = (await lookUp(caller, rosas)) === (await lookUp(caller, nobodys))
    return [caller, isAlike ? 'as nobody' : 'found']
  })
  return Object.fromEntries(await Promise.all(found))
}

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
    '/inbox': ['rosa', 'arthur', 'reader', 'writer', 'limited', 'narrow', 'employee', 'adviser', 'colleague'],
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
      const questions = listQuestions(world).filter(({ expected }) => !isWrongDoor(expected))
      const isOfOthers = ({ thing, caller }: Question) => !thing.rowOf?.includes(caller)
      ;({ answers, changed } = await askInTurn(world, questions, (question) => isRefusal(question) && isOfOthers(question)))
    } finally {
      bringBack()
    }
  })
  after(() => world.stop())

  test('shows nobody what is not theirs', () => {
    assertNone(leaksOf(answers), 'Row-level security lets these through:')
  })

  test('counts nothing of anybody else’s', () => {
    const pages = answers.filter(
      ({ question: { thing, expected } }) => thing.name === 'the second page' && expected === 'missing',
    )
    assert.ok(pages.length > 20)
    assertNone(pages.filter(({ outcome }) => outcome !== 'missing').map(inWords), 'There is a second page for:')
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
      const some = reading.filter(({ caller }) => ['arthur', 'limited', 'pensionStaff', 'pensionSystem'].includes(caller))
      const leaking = (await askAll(world, some)).filter(({ leaks }) => leaks.length > 0)
      const routes = new Set(leaking.map(({ question }) => question.route))
      t.diagnostic(`${leaking.length} answers of ${routes.size} routes leak: ${[...routes].sort().join(', ')}`)
      const known = ['GET /inbox', 'GET /letters/:id', 'GET /sent', 'GET /department', 'GET /v1/inbox', 'GET /v1/messages/:id']
      assert.deepEqual(
        known.filter((route) => !routes.has(route)),
        [],
      )
    } finally {
      bringBack()
    }
  })
})

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { dropOwnConditions } from '../src/access/own.ts'
import { type Answer, ask, listQuestions, type Question } from './rights-matrix/ask.ts'
import { callers } from './rights-matrix/callers.ts'
import { expectations, nameOfRoute } from './rights-matrix/expectations.ts'
import { buildWorld, type World } from './rights-matrix/world.ts'

/** As it is told where it fails. */
const inWords = ({ question: { route, caller, thing, expected }, status, outcome }: Answer) =>
  `${route}, ${caller}, ${thing.name}: ${outcome} (${status})${expected === undefined ? '' : `, not ${expected}`}`

/** Of each caller one after another, and callers beside each other. */
async function askAll(world: World, questions: readonly Question[]): Promise<Answer[]> {
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

describe('the matrix', () => {
  let world: World
  before(async () => {
    world = await buildWorld()
  })
  after(() => world.stop())

  test('x', async () => {
    const questions = listQuestions(world)
    console.log(questions.length, 'questions')
    const t = performance.now()
    const isRefused = (q: Question) => q.expected !== 'ok' && q.expected !== undefined
    const a = await askAll(world, questions.filter(isRefused))
    console.log('refused', a.length, performance.now() - t)
    await world.restore()
    const b = await askAll(world, questions.filter((q) => !isRefused(q) && !q.changes))
    console.log('allowed', b.length, performance.now() - t)
    for (const x of [...a, ...b]) {
      const e = x.question.expected
      if (e !== undefined && (e === 'empty' ? 'ok' : e) !== x.outcome) console.log('WRONG', inWords(x))
      if (x.outcome === 'failed') console.log('FAILED', inWords(x))
      if (x.leaks.length) console.log('LEAK', inWords(x), x.leaks)
    }
    const known = new Set(world.app.routeTable.map(nameOfRoute).filter((n) => n !== undefined))
    console.log([...known].filter((n) => !(n in expectations)), Object.keys(expectations).filter((n) => !known.has(n)))
    assert.ok(callers && dropOwnConditions)
  })
})

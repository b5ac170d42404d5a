import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { type ActionState, type ActionWay, actionEvents, hostOfAction, isPersonal, maySay, stateAfter } from './action.ts'

const ways: ActionWay[] = ['payment', 'appointment', 'declaration', 'visit', 'mark']
const events = fc.array(fc.constantFrom(...actionEvents), { maxLength: 30 })

/** Every state that it passes. */
function pass(way: ActionWay, happened: readonly (typeof actionEvents)[number][]): ActionState[] {
  const states: ActionState[] = ['open']
  for (const event of happened) {
    const next = stateAfter(way, states.at(-1)!, event)
    if (next !== undefined) states.push(next)
  }
  return states
}

describe('the states of an action', () => {
  test('what was paid or declared stays so, whatever comes', () => {
    for (const way of ['payment', 'declaration'] as const) {
      fc.assert(
        fc.property(events, (happened) => {
          const states = pass(way, happened)
          const done = states.indexOf('done')
          assert.ok(done < 0 || done === states.length - 1)
        }),
      )
    }
  })

  test('no step leads to where it already is, and each that a reader may say leads somewhere', () => {
    fc.assert(
      fc.property(fc.constantFrom(...ways), events, (way, happened) => {
        const states = pass(way, happened)
        assert.ok(states.every((state, place) => place === 0 || state !== states[place - 1]))
      }),
    )
    for (const way of ways) {
      const said = actionEvents.filter((event) => maySay(way, event))
      const every: ActionState[] = ['open', 'started', 'done', 'failed', 'cancelled']
      for (const event of said) assert.ok(every.some((state) => stateAfter(way, state, event) !== undefined))
    }
  })

  test('only who takes the payment says that it was paid', () => {
    assert.ok(actionEvents.every((event) => !maySay('payment', event)))
  })
})

describe('the address of an action', () => {
  test('is an address of the web without a user in it', () => {
    const cases: [string, string | undefined][] = [
      ['https://www.gov.uk/payments/northfold/council-tax?amount=12000', 'www.gov.uk'],
      ['https://www.gov.uk:443/', 'www.gov.uk'],
      ['https://www.gov.uk:8443/', 'www.gov.uk:8443'],
      ['http://localhost:3000/form', 'http://localhost:3000'],
      ['https://www.gov.uk@elsewhere.example/', undefined],
      ['https:\\\\elsewhere.example', undefined],
      ['https://www.gov.uk/ a', undefined],
      ['javascript:alert(1)', undefined],
      ['//elsewhere.example', undefined],
      ['data:text/html,a', undefined],
    ]
    for (const [address, host] of cases) assert.equal(hostOfAction(address), host, address)
  })

  test('says of nobody who they are, however it is written', () => {
    const personal = [
      'https://a.example/?to=rosa@example.com',
      'https://a.example/?to=rosa%40example.com',
      'https://a.example/?to=rosa%2540example.com',
      'https://a.example/AB123456C',
      'https://a.example/?n=ab+12+34+56+c',
      'https://a.example/account/CT-1001',
      'https://a.example/?account=ct%2D1001',
      'https://a.example/ct1001/pay',
    ]
    for (const address of personal) assert.ok(isPersonal(address, 'CT-1001'), address)
    for (const address of ['https://a.example/form/1', 'https://a.example/@council', 'https://a.example/100%'])
      assert.ok(!isPersonal(address, 'CT-1001'), address)
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Z]{2}-?\d{4,8}$/), (identifier) => {
        assert.ok(isPersonal(`https://a.example/?x=${encodeURIComponent(identifier)}&y=1`, identifier))
      }),
    )
  })
})

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  type Change,
  type Changer,
  daysAfter,
  defaultRules,
  hasReached,
  keptUntil,
  mayChange,
  type PartyKind,
  type Registration,
  reachableFrom,
  refusalOf,
  statusOf,
} from './registration.ts'

const now = new Date('2026-11-23T10:00:00Z')
const states: Registration[] = ['registered', 'exempt', 'closed']

/** Who may make which change of a person's registration: from → to. */
const table: Record<Changer, string[]> = {
  owner: ['registered → exempt', 'exempt → registered'],
  registrar: ['registered → exempt', 'registered → closed', 'exempt → registered', 'exempt → closed', 'closed → registered'],
  notice: ['registered → closed', 'exempt → closed'],
}

const change = (more: Partial<Change>): Change => ({
  kind: 'person',
  from: 'registered',
  to: 'closed',
  changer: 'registrar',
  reason: 'death',
  closing: more.from === 'closed' ? { at: daysAfter(now, -1), reason: 'death' } : undefined,
  ...more,
})

describe('a registration', () => {
  for (const changer of Object.keys(table) as Changer[]) {
    test(`follows the table for ${changer}`, () => {
      const allowed = states.flatMap((from) =>
        states.flatMap((to) => (mayChange(change({ from, to, changer }), defaultRules, now) ? [`${from} → ${to}`] : [])),
      )
      assert.deepEqual(allowed, table[changer])
    })
  }

  test('of a public body never changes, and a business is exempt only by a registrar’s decision', () => {
    for (const changer of Object.keys(table) as Changer[]) {
      for (const from of states)
        for (const to of states)
          assert.ok(!mayChange(change({ kind: 'public-body', from, to, changer }), defaultRules, now), `${changer} ${from} ${to}`)
    }
    const exempt = (changer: Changer) =>
      mayChange(change({ kind: 'business', to: 'exempt', reason: 'no internet', changer }), defaultRules, now)
    assert.deepEqual([exempt('owner'), exempt('registrar')], [false, true])
  })

  test('is closed for a reason that fits the party', () => {
    const closes = (kind: PartyKind, reason: string) => mayChange(change({ kind, reason }), defaultRules, now)
    assert.deepEqual([closes('person', 'death'), closes('person', 'other'), closes('person', 'dissolved')], [true, true, false])
    assert.deepEqual(
      [closes('business', 'dissolved'), closes('business', 'other'), closes('business', 'death')],
      [true, true, false],
    )
    for (const reason of ['', 'merged', 'because']) assert.ok(!closes('person', reason), reason)
  })

  test('is opened again only in time, and never where the mailbox was merged into another', () => {
    const opens = (daysAgo: number, reason = 'other') =>
      mayChange(
        change({ from: 'closed', to: 'registered', reason: 'wrong person', closing: { at: daysAfter(now, -daysAgo), reason } }),
        defaultRules,
        now,
      )
    assert.deepEqual([opens(0), opens(30), opens(30.1), opens(1, 'merged')], [true, true, false, false])
  })

  test('keeps the content longer than a closure for another reason than death by what is set', () => {
    assert.equal(keptUntil('death', defaultRules, now), '2031-11-23')
    assert.equal(keptUntil('dissolved', { ...defaultRules, yearsKeptAfterClosure: 7 }, now), '2033-11-23')
  })
})

describe('the rules of registration', () => {
  test('take a person in from the birthday on', () => {
    const reached = (birthDate: string, at: string) => hasReached(15, birthDate, new Date(at))
    assert.ok(!reached('2011-11-24', '2026-11-23T23:59:59Z'))
    assert.ok(reached('2011-11-24', '2026-11-24T00:00:00Z'))
    assert.ok(reached('2011-06-02', '2026-06-01T23:00:00Z'), 'in summer the day begins earlier in London')
    assert.deepEqual(
      [reached('2012-02-29', '2027-02-28T12:00:00Z'), reached('2012-02-29', '2027-03-01T12:00:00Z')],
      [false, true],
    )
  })

  test('give a new business, and nobody else, its days of grace', () => {
    assert.deepEqual(reachableFrom('business', defaultRules, now), new Date('2026-12-05T10:00:00Z'))
    assert.equal(reachableFrom('business', { ...defaultRules, businessGraceDays: 0 }, now), undefined)
    assert.equal(reachableFrom('person', defaultRules, now), undefined)
  })
})

describe('who can be reached', () => {
  const mailbox = { registration: 'registered' as const, reachableFrom: null, categories: null }

  test('is refused with a reason of its own for each state', () => {
    assert.equal(refusalOf(mailbox, now), undefined)
    assert.equal(refusalOf(undefined, now), 'recipient-not-found')
    assert.equal(refusalOf({ ...mailbox, registration: 'exempt' }, now), 'recipient-exempt')
    assert.equal(refusalOf({ ...mailbox, registration: 'closed' }, now), 'recipient-closed')
    assert.equal(refusalOf({ ...mailbox, reachableFrom: daysAfter(now, 1) }, now), 'recipient-not-yet')
    assert.equal(refusalOf({ ...mailbox, reachableFrom: now }, now), undefined)
    const exempt = { ...mailbox, registration: 'exempt' as const, reachableFrom: daysAfter(now, 1) }
    assert.equal(statusOf(exempt, now), 'exempt', 'more than its first days stand in the way')
  })

  test('by consent gets only what was consented to', () => {
    const categories = fc.uniqueArray(fc.constantFrom('general', 'tax', 'health'))
    fc.assert(
      fc.property(categories, fc.constantFrom('general', 'tax', 'health'), (consented, category) => {
        const refusal = refusalOf({ ...mailbox, categories: consented }, now, category)
        assert.equal(refusal, consented.includes(category) ? undefined : 'consent-missing')
        assert.equal(refusalOf({ ...mailbox, categories: consented }, now) === undefined, consented.length > 0)
      }),
    )
  })
})

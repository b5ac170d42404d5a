import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { StoredDocument } from '../documents/document.ts'
import { digestOf, historyOf, messageStates, type Submission, stateOf } from './message.ts'

const someDay = fc.date({ min: new Date('2026-01-01'), max: new Date('2027-01-01'), noInvalidDate: true })
const perhaps = fc.option(someDay)
const someTimes = fc.record({
  acceptedAt: someDay,
  availableAt: perhaps,
  openedAt: perhaps,
  answeredAt: perhaps,
  recalledAt: perhaps,
  failedAt: perhaps,
})

describe('the history of a message', () => {
  test('has each thing that happened once, in order of time, and nothing else', () => {
    fc.assert(
      fc.property(someTimes, (times) => {
        const history = historyOf(times)
        const expected = messageStates.filter((state) => times[`${state}At`] !== null)
        assert.deepEqual(history.map(({ state }) => state).sort(), [...expected].sort())
        for (const { state, at } of history) assert.equal(at, times[`${state}At`])
        assert.ok(history.every(({ at }, index) => index === 0 || history[index - 1]!.at <= at))
      }),
    )
  })

  test('tells what happened in the same moment in the order in which it may happen', () => {
    const at = new Date('2026-11-23')
    const history = historyOf({ acceptedAt: at, availableAt: at, openedAt: at, answeredAt: at, recalledAt: at, failedAt: at })
    assert.deepEqual(
      history.map(({ state }) => state),
      [...messageStates],
    )
  })

  test('leads to the furthest that the message has come', () => {
    fc.assert(
      fc.property(someTimes, (times) => {
        const reached = historyOf(times).map(({ state }) => messageStates.indexOf(state))
        assert.equal(messageStates.indexOf(stateOf(times)), Math.max(...reached))
      }),
    )
  })
})

const submission: Submission = {
  reference: 'r-1',
  serviceId: 's-1',
  recipient: { scheme: 'link', value: 'CT-1' },
  answersId: 'm-1',
  subject: 'Your bill',
  content: [{ language: 'en', subject: 'Bill', body: 'Pay.' }],
  documents: [],
  reply: { allowed: true, by: '2026-12-01T00:00:00Z' },
}
const stored = { id: 'f-1', filename: 'bill.pdf', mediaType: 'application/pdf', language: 'en', size: 9, sha256: 'ab' }
const documents: StoredDocument[] = [{ role: 'main', title: 'Bill', files: [stored] }]
const digest = (change: Partial<Submission> = {}, changed = documents) => digestOf({ ...submission, ...change }, changed)

/** The same with the keys of every object the other way round. */
function reversed<T>(value: T): T {
  if (Array.isArray(value)) return value.map(reversed) as T
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, inner]) => [key, reversed(inner)]),
  ) as T
}

describe('the digest of a message', () => {
  test('does not depend on the order of keys, nor on the ids that files get here, nor on the reference', () => {
    assert.equal(digestOf(reversed(submission), reversed(documents)), digest())
    assert.equal(digest({}, [{ ...documents[0]!, files: [{ ...stored, id: 'f-2' }] }]), digest())
    assert.equal(digest({ reference: 'r-2' }), digest())
  })

  test('changes with everything that a message says and asks', () => {
    const [content] = submission.content
    const withFile = (change: Partial<typeof stored>) => digest({}, [{ ...documents[0]!, files: [{ ...stored, ...change }] }])
    const digests = [
      digest(),
      digest({ serviceId: 's-2' }),
      digest({ recipient: undefined }),
      digest({ recipient: { scheme: 'nino', value: 'CT-1' } }),
      digest({ recipient: { scheme: 'link', value: 'CT-2' } }),
      digest({ answersId: undefined }),
      digest({ answersId: 'm-2' }),
      digest({ subject: 'Your bill.' }),
      digest({ content: [] }),
      digest({ content: [content!, content!] }),
      digest({ content: [{ ...content!, language: 'cy' }] }),
      digest({ content: [{ ...content!, subject: undefined }] }),
      digest({ content: [{ ...content!, subject: 'Bil' }] }),
      digest({ content: [{ ...content!, body: 'Pay!' }] }),
      digest({ reply: { allowed: false, by: submission.reply.by } }),
      digest({ reply: { allowed: true } }),
      digest({ reply: { allowed: true, by: '2026-12-02T00:00:00Z' } }),
      digest({}, []),
      digest({}, [...documents, ...documents]),
      digest({}, [{ ...documents[0]!, role: 'additional' }]),
      digest({}, [{ ...documents[0]!, title: 'The bill' }]),
      withFile({ filename: 'bil.pdf' }),
      withFile({ mediaType: 'text/plain' }),
      withFile({ language: 'cy' }),
      withFile({ sha256: 'cd' }),
    ]
    assert.equal(new Set(digests).size, digests.length)
  })
})

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { Value } from 'typebox/value'
import {
  type Audience,
  canonical,
  commitmentOf,
  type EventFacts,
  EvidenceRecord,
  evidenceEvents,
  type Issuer,
  type KnownDoer,
  type MessageFacts,
  type Part,
  type RecordedEvent,
  recordOf,
  recordText,
  saltFor,
} from './record.ts'

const words = fc.string({ unit: 'binary', maxLength: 12 })
const maybe = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined })
const aDate = fc.date({ min: new Date('2020-01-01'), max: new Date('2040-01-01'), noInvalidDate: true })
const aPart = fc.record({
  size: fc.nat(),
  part: fc.constantFrom('text', 'main', 'additional', 'technical'),
  digest: words,
  filename: maybe(words),
  mediaType: maybe(words),
  language: maybe(words),
  subject: maybe(words),
  algorithm: fc.constant('SHA-256'),
}) as fc.Arbitrary<Part>
const aDoer: fc.Arbitrary<KnownDoer> = fc.record({
  name: words,
  kind: fc.constantFrom('owner', 'helper', 'staff', 'system', 'registrar', 'program'),
  id: words,
  onBehalfOf: maybe(words),
  identifiedAt: maybe(words),
})
const messageFacts = fc.record({
  parts: fc.array(aPart, { maxLength: 3 }),
  by: aDoer,
  door: words,
  addressedBy: words,
  subject: words,
  senderName: words,
  serviceName: words,
  isToService: fc.boolean(),
  recipientName: words,
}) as fc.Arbitrary<MessageFacts>
const eventFacts = fc.record({
  by: maybe(aDoer),
  door: maybe(words),
  part: maybe(aPart),
  answer: maybe(words),
  reasons: maybe(fc.array(fc.record({ reason: words, code: words }), { maxLength: 2 })),
  from: maybe(words),
  until: maybe(words),
}) as fc.Arbitrary<EventFacts>
const issuer: Issuer = {
  name: 'Post',
  uri: 'https://post.example',
  log: 'post.example/log',
  people: 'p',
  staff: 's',
  systems: 'y',
}
const aRecord = fc
  .record({
    audience: fc.constantFrom<Audience>('sender', 'recipient'),
    type: fc.constantFrom(...(Object.keys(evidenceEvents) as RecordedEvent['type'][])),
    message: messageFacts,
    event: fc.option(eventFacts),
    isAccepted: fc.boolean(),
    at: aDate,
    id: fc.uuid(),
    reference: words,
  })
  .map(({ audience, type, message, event, isAccepted, at, id, reference }) => {
    const isFirst = type === 'message.accepted' || type === 'message.rejected'
    const facts = isFirst ? { ...event, ...message } : event
    const accepted = isAccepted ? { facts: message, at } : undefined
    const soFar = { accepted, previousId: isFirst ? null : id, ordinal: 1 }
    return recordOf(audience, { id, type, at, messageId: id, reference, facts }, soFar, issuer)
  })

describe('a record', () => {
  test('has the canonical text of RFC 8785, whatever it holds', () => {
    fc.assert(fc.property(aRecord, (record) => assert.equal(recordText(record), canonical(record))))
  })

  test('fits the schema that is published', () => {
    fc.assert(
      fc.property(aRecord, (record) => {
        const [wrong] = Value.Errors(EvidenceRecord, JSON.parse(recordText(record)))
        assert.equal(wrong, undefined)
      }),
    )
  })

  const facts: MessageFacts = {
    by: { kind: 'system', id: 'billing', name: 'Billing' },
    door: 'sender-api',
    addressedBy: 'link',
    subject: 'Your bill',
    parts: [],
    senderName: 'Council',
    serviceName: 'Council tax',
    isToService: false,
    recipientName: 'Rosa Example',
  }
  const opened: RecordedEvent = {
    id: 'e',
    type: 'message.opened',
    at: new Date('2026-11-20T10:00:00Z'),
    messageId: 'm',
    reference: 'secret-reference',
    facts: { by: { kind: 'helper', id: 'arthur', name: 'Arthur Sample' }, door: 'citizen-pages' },
  }
  const textFor = (audience: Audience) =>
    recordText(recordOf(audience, opened, { accepted: { facts, at: opened.at }, previousId: 'd', ordinal: 3 }, issuer))

  test('tells each side who acted on it, and of the other only what kind of person', () => {
    assert.match(textFor('recipient'), /Arthur Sample/)
    assert.doesNotMatch(textFor('recipient'), /Billing|secret-reference/)
    assert.match(textFor('sender'), /Billing.*secret-reference|secret-reference.*Billing/)
    assert.doesNotMatch(textFor('sender'), /Arthur/)
  })

  test('is committed to by SHA-256 over the salt of its side, a label and its text', () => {
    const someSalts = fc.uint8Array({ minLength: 64, maxLength: 64 }).map((bytes) => Buffer.from(bytes))
    fc.assert(
      fc.property(someSalts, fc.constantFrom<Audience>('sender', 'recipient'), fc.string(), (salts, audience, text) => {
        const salt = audience === 'sender' ? salts.subarray(0, 32) : salts.subarray(32)
        const expected = createHash('sha256').update(salt).update('dp-evidence-v1\0').update(text).digest()
        assert.deepEqual(commitmentOf(text, saltFor(audience, salts)), expected)
      }),
    )
  })
})

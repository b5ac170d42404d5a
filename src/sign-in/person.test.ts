import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { defaultRules } from '../registry/registration.ts'
import { registerPerson } from './person.ts'

let test: TestDatabase
before(async () => {
  test = await createTestDatabase()
})
after(() => test.drop())

const now = new Date('2026-11-23T10:00:00Z')

it('Somebody new who comes five times at once gets one party and one mailbox', async () => {
  const identity = { name: 'Ann Tester', birthDate: '1980-02-29' }
  const comings = Array.from({ length: 5 }, () => registerPerson(test.database, 'urn:fdc:gov.uk:2022:new', identity, now))
  const parties = new Set(await Promise.all(comings))
  assert.equal(parties.size, 1)
  const mailboxes = await test.owner`select party_id, by_consent from mailbox`
  assert.deepEqual(
    [...mailboxes],
    [...parties].map((partyId) => ({ partyId, byConsent: false })),
  )
})

it('Somebody below the age gets no mailbox, nothing of them is kept, and the birthday changes that', async () => {
  const identity = { name: 'Kit Tester', birthDate: '2011-11-24' }
  const come = (at: Date, age = 15) =>
    registerPerson(test.database, 'urn:fdc:gov.uk:2022:young', identity, at, { ...defaultRules, age })
  assert.deepEqual(await come(now), { refused: 'too-young' })
  assert.equal((await test.owner`select from party where name = 'Kit Tester'`).length, 0)
  assert.equal(typeof (await come(new Date('2026-11-24T08:00:00Z'))), 'string')
})

it('Where registration is by consent, a mailbox is opened without any', async () => {
  const identity = { name: 'Lea Tester', birthDate: '1990-01-01' }
  const partyId = await registerPerson(test.database, 'urn:fdc:gov.uk:2022:lea', identity, now, {
    ...defaultRules,
    basis: 'consent',
  })
  const [mailbox] = await test.owner`select by_consent from mailbox where party_id = ${partyId as string}`
  assert.equal(mailbox!.byConsent, true)
})

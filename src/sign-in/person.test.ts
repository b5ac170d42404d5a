import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { registerPerson } from './person.ts'

let test: TestDatabase
before(async () => {
  test = await createTestDatabase()
})
after(() => test.drop())

it('Somebody new who comes five times at once gets one party and one mailbox', async () => {
  const identity = { name: 'Ann Tester', birthDate: '1980-02-29' }
  const comings = Array.from({ length: 5 }, () => registerPerson(test.database, 'urn:fdc:gov.uk:2022:new', identity, new Date()))
  const parties = new Set(await Promise.all(comings))
  assert.equal(parties.size, 1)
  const mailboxes = await test.database`select party_id from mailbox`
  assert.deepEqual(
    mailboxes.map(({ partyId }) => partyId),
    [...parties],
  )
})

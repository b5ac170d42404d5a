import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Actor } from '../src/access/actor.ts'
import { reviveStaff } from '../src/access/revive-actor.ts'
import { readConfig } from '../src/config.ts'
import { findMailing } from '../src/delivery/find-mailings.ts'
import { startMailing } from '../src/delivery/start-mailing.ts'
import { deriveIdentifierKeys } from '../src/registry/identifier.ts'
import { readSchemes } from '../src/registry/scheme.ts'
import { createTestDatabase, type TestDatabase } from './database.ts'
import { billsFor, makeMailing, stage } from './mailings.ts'
import { type Program, startProgram } from './program.ts'

const letters = 12_000

let test_: TestDatabase
let program: Program
const start = async () => {
  program = await startProgram({ DATABASE_URL: test_.url })
}
before(async () => {
  test_ = await createTestDatabase()
  await start()
})
after(async () => {
  await program?.end('SIGKILL')
  await test_.drop()
})

test('a mailing whose program is killed twice while it is sent has each letter once', { timeout: 1_800_000 }, async () => {
  const { database: db, owner } = test_
  const keys = deriveIdentifierKeys(readConfig({ DEMO: 'true' }).secretKey, readSchemes(undefined, { demo: true }))
  const [mel] = await owner<{ id: string; name: string; mailboxId: string; serviceId: string }[]>`
    select staff_member.id, staff_member.name, mailbox.id as mailbox_id, service.id as service_id
    from staff_member join mailbox on mailbox.party_id = organisation_id join service using (organisation_id)
    where staff_member.name = 'Mel Placeholder' and service.slug = 'council-tax'`
  const { id: staffId, name, mailboxId, serviceId } = mel!
  const actor = (await reviveStaff(db, { mailboxId, by: { kind: 'staff', id: staffId, name }, requestId: 'test' })) as Actor
  const world = { db, keys, serviceId }
  const id = await makeMailing(world, actor, new Date())
  const rows = Array.from({ length: letters }, (_, place) => `CT-1001,Rosa,${place}`)
  await stage(world, actor, id, billsFor(rows), new Date(), true)
  const find = () => findMailing(db, actor, id)
  const until = async (isSo: (mailing: Awaited<ReturnType<typeof find>>) => boolean) => {
    for (;;) {
      const mailing = await find()
      if (isSo(mailing)) return mailing
      await sleep(20)
    }
  }
  const { fileId } = await until(({ state }) => state === 'ready')
  await startMailing(db, actor, id, { fileId: fileId!, letters, hold: false, availableFrom: undefined }, new Date())
  for (const after of [0, 4_000]) {
    const { accepted } = await until((mailing) => mailing.accepted > after)
    assert.ok(accepted < letters, 'it is not over yet')
    await program.end('SIGKILL')
    await start()
  }
  const { accepted, batchId } = await until(({ state }) => state === 'sent')
  const [counts] = await owner<{ ledger: number; references: number; there: number }[]>`
    select count(*)::int as ledger, count(distinct ledger.reference)::int as references, count(message.id)::int as there
    from ledger left join message on message.mailbox_id = ledger.mailbox_id and message.id = ledger.message_id
    where ledger.batch_id = ${batchId}`
  assert.deepEqual({ accepted, ...counts }, { accepted: letters, ledger: letters, references: letters, there: letters })
})

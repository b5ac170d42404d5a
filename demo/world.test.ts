import assert from 'node:assert/strict'
import { text } from 'node:stream/consumers'
import { after, afterEach, beforeEach, describe, test } from 'node:test'
import { v7 as newId } from 'uuid'
import type { Actor } from '../src/access/actor.ts'
import { rightsOf } from '../src/access/rights.ts'
import type { Database } from '../src/database/connect.ts'
import { readEvents } from '../src/evidence/events.ts'
import { find, findFile, findThread } from '../src/mailbox/find.ts'
import { listInbox } from '../src/mailbox/list.ts'
import { findRecipients } from '../src/registry/find-recipients.ts'
import { deriveIdentifierKeys } from '../src/registry/identifier.ts'
import { listServices } from '../src/registry/services.ts'
import { createTestDatabase, type TestDatabase } from '../test/database.ts'
import { addressedTo } from '../test/post.ts'
import { demoPeople, demoStaff, fillDemoWorld } from './world.ts'

const keys = deriveIdentifierKeys(Buffer.alloc(32, 5))
const now = new Date('2026-11-23T10:00:00Z')
const subjectOf = (id: string) => `urn:example:${id}`

describe('the demo world', () => {
  const databases: TestDatabase[] = []
  let database: Database
  let owner: Database
  beforeEach(async () => {
    const fresh = await createTestDatabase()
    databases.push(fresh)
    database = fresh.database
    owner = fresh.owner
  })
  afterEach(async () => {
    for (const each of databases.splice(0)) await each.drop()
  })
  after(() => assert.equal(databases.length, 0))

  const fill = () => fillDemoWorld(database, keys, subjectOf, now)

  /** The mailbox of whoever is known to the service by this identifier. */
  const readerOf = async (service: string, value: string): Promise<Actor | undefined> => {
    const serviceId = (await listServices(database, { slugs: [service] }))[0]!.id
    const [recipient] = await findRecipients(database, [addressedTo(keys, serviceId, { scheme: 'link', value })])
    return (
      recipient && {
        ...recipient,
        isOrganisation: false,
        rights: rightsOf('owner'),
        categories: undefined,
        by: { kind: 'owner', id: recipient.partyId, name: '' },
        door: 'citizen-pages',
        requestId: newId(),
      }
    )
  }

  const count = async () => {
    const [row] = await owner`
      select (select count(*) from party)::int as parties, (select count(*) from organisation)::int as organisations,
             (select count(*) from client)::int as clients, (select count(*) from message)::int as messages,
             (select count(*) from file)::int as files, (select count(*) from event)::int as events`
    return { ...row } as Record<string, number>
  }

  test('fills an empty database with public bodies, people, a business and their post', async () => {
    assert.equal(await fill(), true)
    const services = await listServices(database)
    assert.deepEqual(
      services.map(({ slug, organisationName }) => `${organisationName}: ${slug}`),
      [
        'Agency for Pensions and Support: carers-support',
        'Agency for Pensions and Support: state-pension',
        'Northfold Council: council-tax',
        'Northfold Council: libraries',
        'Northfold Council: parking',
      ],
    )
    const nameOf = async (value: string) => {
      const reader = await readerOf('council-tax', value)
      const [party] = reader ? await owner`select kind, name from party where id = ${reader.partyId}` : []
      return party && `${party.kind} ${party.name}`
    }
    assert.equal(await nameOf('CT-1001'), 'person Rosa Example')
    assert.equal(await nameOf('CT-1002'), 'person Arthur Sample')
    assert.equal(await nameOf('CT-2001'), 'business Example Bakery Ltd')
    assert.equal(await nameOf('CT-9999'), undefined)
    assert.deepEqual(
      (
        await owner`select id, array(select slug from service where service.id = any(service_ids) order by slug) as services, demo_secret from client order by id`
      ).map(({ id, services, demoSecret }) => [id, services, demoSecret]),
      [
        ['demo-other', ['carers-support', 'state-pension'], 'demo-other-secret'],
        ['demo-sender', ['council-tax'], 'demo-sender-secret'],
      ],
    )
    const staff = await owner`select subject, name from staff_member order by subject`
    assert.deepEqual(
      staff.map(({ subject, name }) => [subject, name]),
      demoStaff.map(({ subject, name }) => [subject, name]).sort(),
    )
  })

  test('knows all its people at One Login but the one who has never signed in', async () => {
    await fill()
    const known = await owner<{ subject: string }[]>`select subject from one_login_subject`
    assert.equal(demoPeople.length, 4)
    assert.deepEqual(
      known.map(({ subject }) => subject).sort(),
      demoPeople
        .map(({ id }) => subjectOf(id))
        .filter((subject) => subject !== subjectOf('priya'))
        .sort(),
    )
  })

  test('holds letters for CT-1001, the newest an unread bill with a PDF', async () => {
    await fill()
    const rosa = (await readerOf('council-tax', 'CT-1001'))!
    const inbox = await listInbox(database, rosa, 1)
    assert.equal(inbox.letters.length, 9)
    assert.equal(inbox.unread, 1)
    const [newest] = inbox.letters
    assert.equal(newest?.subject, 'Your council tax bill for 2026 to 2027')
    assert.equal(newest.openedAt, null)
    for (const { availableAt, openedAt } of inbox.letters) {
      assert.ok(availableAt < now)
      assert.ok(openedAt === null || (openedAt > availableAt && openedAt < now))
    }
    const bill = await find(database, rosa, newest.id)
    const { file, bytes } = await findFile(database, rosa, bill.id, bill.documents[0]!.files[0]!.id, new Date())
    assert.equal(file.filename, 'council-tax-bill.pdf')
    assert.match(await text(bytes), /^%PDF-/)
    assert.ok(bill.replyAllowed && bill.replyBy! > now)
  })

  test('shows a letter that was answered, and its answer answered, in one thread', async () => {
    await fill()
    const rosa = (await readerOf('council-tax', 'CT-1001'))!
    const { letters } = await listInbox(database, rosa, 1)
    const decision = await find(database, rosa, letters.find(({ subject }) => subject === 'Your discount stays')!.id)
    const thread = await findThread(database, rosa, decision.threadId)
    assert.deepEqual(
      thread.map(({ isSent, subject }) => [isSent, subject]),
      [
        [false, 'Are you still the only adult in your home?'],
        [true, 'Are you still the only adult in your home?'],
        [false, 'Your discount stays'],
      ],
    )
  })

  test('holds a letter in English and Welsh, and one in Welsh only', async () => {
    await fill()
    const gwen = (await readerOf('state-pension', 'SP-7003'))!
    const { letters } = await listInbox(database, gwen, 1)
    const languages = await Promise.all(
      letters.map(async ({ id }) => (await find(database, gwen, id)).content.map(({ language }) => language)),
    )
    assert.deepEqual(languages, [['en', 'cy'], ['cy']])
  })

  test('tells each sender’s events in the order of time', async () => {
    await fill()
    const { id } = (await listServices(database, { slugs: ['council-tax'] }))[0]!
    const events = await readEvents(database, [id], '0', 1000)
    const times = events.map(({ at }) => at.getTime())
    assert.deepEqual(
      times,
      times.toSorted((a, b) => a - b),
    )
    assert.equal(events.filter(({ type }) => type === 'message.answered').length, 1)
    assert.equal(events.filter(({ type }) => type === 'message.opened').length, 5)
  })

  test('is made once, by two starts at the same time and by later ones', async () => {
    const filled = await Promise.all([fill(), fill()])
    assert.deepEqual(filled.sort(), [false, true])
    const before = await count()
    assert.equal(await fill(), false)
    assert.deepEqual(await count(), before)
    assert.equal(before.organisations, 2)
    assert.equal(before.clients, 2)
  })

  test('leaves nothing when it fails half way, so that the next start fills it', async () => {
    const failing = (id: string) => {
      if (id === 'gwen') throw new Error('killed')
      return subjectOf(id)
    }
    await assert.rejects(fillDemoWorld(database, keys, failing, now), /killed/)
    assert.equal((await count()).parties, 0)
    assert.equal(await fill(), true)
  })

  test('leaves a database alone that has an organisation', async () => {
    await owner.unsafe(`
      insert into party (id, kind, name) values ('00000000-0000-7000-8000-000000000001', 'public-body', 'A real council');
      insert into organisation (party_id, slug) values ('00000000-0000-7000-8000-000000000001', 'real')`)
    assert.equal(await fill(), false)
    assert.equal((await count()).parties, 1)
  })
})

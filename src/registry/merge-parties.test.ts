import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { v7 as newId } from 'uuid'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { buildGrantWorld } from '../../test/grants.ts'
import { buildPost, type Post } from '../../test/post.ts'
import type { Actor } from '../access/actor.ts'
import { within } from '../database/scope.ts'
import { changeRegistration } from './change-registration.ts'
import { mergeParties } from './merge-parties.ts'
import { readRecipientChanges } from './recipient-changes.ts'

const now = new Date('2026-11-23T10:00:00Z')

/** Where the id of a person or of their mailbox may stand in the database, and which of them a merge leaves as they are. */
const staysBehind: Record<string, string> = {
  'registration_change.party_id': 'the history of the mailbox that is closed',
  'grant_attempt.party_id': 'tries of the last hour',
  'record_view.party_id': 'what a registrar looked at then',
  'merge_request.from_party_id': 'the merge itself',
  'merge_request.into_party_id': 'the merge itself',
  'organisation.party_id': 'public bodies only',
  'message.written_by_id': 'who wrote for somebody else, with the name as it was',
  'mailbox.party_id': 'the mailbox that is closed',
}

describe('merging two parties of one person', () => {
  let test_: TestDatabase
  let post: Post
  before(async () => {
    test_ = await createTestDatabase()
    post = await buildPost(test_)
  })
  after(() => test_.drop())

  const born = '1984-05-17'
  /** Two of the same name and birth date, known to the service by two identifiers. */
  const two = async (link: string): Promise<[Actor, Actor]> => {
    const pair = [await post.addPerson(`${link}-1`), await post.addPerson(`${link}-2`)] as [Actor, Actor]
    const ids = pair.map(({ partyId }) => partyId)
    await test_.owner`update party set name = ${link}, birth_date = ${born} where id = any(${ids}::uuid[])`
    return pair
  }
  const merge = ([from, into]: [Actor, Actor]) =>
    mergeParties(test_.database, { fromPartyId: from.partyId, intoPartyId: into.partyId }, now)

  /** A letter to a person, and one that they have written to the council, as rows. */
  const addPost = async ({ partyId, mailboxId }: Actor) => {
    const [received, sent] = [newId(), newId()]
    const { owner } = test_
    const message = (to: string, id: string, senderId: string, senderPartyId: string) => owner`
      insert into message (mailbox_id, id, thread_id, sender_id, sender_party_id, service_id, sender_name, service_name, subject, content,
        documents, reply_allowed, door, available_at)
      values (${to}, ${id}, ${id}, ${senderId}, ${senderPartyId}, ${post.serviceId}, 'x', 'x', 'x', '[]', '[]', true, 'demo', ${now})`
    const ledger = (senderId: string, id: string, mailboxId: string) => owner`
      insert into ledger (sender_id, reference, message_id, content_digest, mailbox_id, thread_id, accepted_at)
      values (${senderId}, ${id}, ${id}, '', ${mailboxId}, ${id}, ${now})`
    await message(mailboxId, received, post.serviceId, post.council.partyId)
    await ledger(post.serviceId, received, mailboxId)
    await owner`insert into file (mailbox_id, id, message_id, bytes) values (${mailboxId}, ${newId()}, ${received}, 'x')`
    await message(post.council.mailboxId, sent, partyId, partyId)
    await ledger(partyId, sent, post.council.mailboxId)
    await owner`insert into event (sender_id, type, message_id, reference, at) values (${partyId}, 'message.accepted', ${sent}, ${sent}, ${now})`
  }

  /** Every column that may hold the id of a person or of a mailbox, by what it is called or refers to. */
  const columns = () =>
    test_.owner<{ tableName: string; columnName: string }[]>`
      select table_name, column_name from information_schema.columns
      where table_schema = 'public' and data_type = 'uuid'
        and (column_name ~ '(party_id|mailbox_id|giver_id|holder_id|sender_id|shown_to_id|written_by_id|offered_by_id)$')
      order by 1, 2`

  /** In which of them either id stands. */
  const placesOf = async ({ partyId, mailboxId }: Actor) => {
    const places = await Promise.all(
      (await columns()).map(async ({ tableName, columnName }) => {
        const { owner } = test_
        const found =
          await owner`select from ${owner(tableName)} where ${owner(columnName)} in (${partyId}, ${mailboxId}) limit 1`
        return found.length > 0 ? `${tableName}.${columnName}` : []
      }),
    )
    return places.flat()
  }

  test('everything of the one is the other’s, and nothing else of it is left than what must', async () => {
    const [from, into] = await two('Ann Both')
    const { owner } = test_
    await addPost(from)
    await addPost(into)
    await owner`insert into one_login_subject (subject, party_id) values ('sub-from', ${from.partyId})`
    await owner`
      insert into session (id_hash, party_id, subject, id_token_sealed, created_at, last_seen_at)
      values ('x', ${from.partyId}, 'sub-from', '', ${now}, ${now})`
    await owner`
      insert into consent (party_id, id, category, given_at, wording, language)
      values (${from.partyId}, ${newId()}, 'general', ${now}, 'one', 'en'), (${into.partyId}, ${newId()}, 'general', ${now}, 'two', 'en')`
    await owner`
      insert into look (party_id, id, at, by_kind, by_id, by_name, what)
      values (${from.partyId}, ${newId()}, ${now}, 'staff', 'x', 'x', 'opened'), (${post.arthur.partyId}, ${newId()}, ${now}, 'helper', ${from.partyId}, 'x', 'read')`
    const grant = (giver: string, holder: string) => owner`
      insert into access_grant (id, giver_id, holder_id, kind, role, starts_at, holder_name, offered_at, offered_by_name, accepted_at, offered_by_id, shown_to_id)
      values (${newId()}, ${giver}, ${holder}, 'helper', 'reader', ${now}, 'x', ${now}, 'x', ${now}, ${giver}, ${holder})`
    await grant(from.partyId, post.arthur.partyId)
    await grant(post.rosa.partyId, from.partyId)
    await owner`update message set written_by_id = ${from.partyId}, written_by_name = 'x' where sender_id = ${into.partyId}`
    await merge([from, into])
    const left = (await placesOf(from)).filter((place) => !Object.hasOwn(staysBehind, place))
    assert.deepEqual(left, [])
    const counts = await owner`
      select (select count(*)::int from message where mailbox_id = ${into.mailboxId}) as received,
        (select count(*)::int from file where mailbox_id = ${into.mailboxId}) as files,
        (select count(*)::int from message where sender_id = ${into.partyId} and sender_party_id = ${into.partyId}) as sent,
        (select count(*)::int from ledger where sender_id = ${into.partyId}) as ledger,
        (select count(*)::int from event where sender_id = ${into.partyId}) as events,
        (select count(*)::int from link where party_id = ${into.partyId}) as links,
        (select count(*)::int from consent where party_id = ${into.partyId} and withdrawn_at is null) as consents,
        (select wording from consent where party_id = ${into.partyId} and withdrawn_at is null) as wording,
        (select count(*)::int from access_grant where ended_at is null and ${into.partyId} in (giver_id, holder_id)) as grants`
    assert.deepEqual(counts[0], {
      received: 2,
      files: 2,
      sent: 2,
      ledger: 2,
      events: 2,
      links: 2,
      consents: 1,
      wording: 'two',
      grants: 2,
    })
    const [closed] = await owner`
      select mailbox.registration, reason from mailbox join registration_change using (party_id) where party_id = ${from.partyId}`
    assert.deepEqual(closed, { registration: 'closed', reason: 'merged' })
    const looks = await owner`select what, reason from look where party_id = ${into.partyId} and by_kind = 'system'`
    assert.deepEqual([...looks], [{ what: 'registration-changed', reason: 'merged' }])
  })

  test('what the two gave each other ends', async () => {
    const [from, into] = await two('Bea Both')
    const grant = (giver: Actor, holder: Actor) => test_.owner`
      insert into access_grant (id, giver_id, holder_id, kind, role, starts_at, holder_name, offered_at, offered_by_name, accepted_at)
      values (${newId()}, ${giver.partyId}, ${holder.partyId}, 'helper', 'reader', ${now}, 'x', ${now}, 'x', ${now})`
    await grant(from, into)
    await grant(into, from)
    await merge([from, into])
    const held = await test_.owner`
      select from access_grant where ended_at is null and ${into.partyId} in (giver_id, holder_id)`
    assert.equal(held.length, 0)
  })

  test('what one works for and what was done through it are the other’s, and nobody comes to their own through a firm', async () => {
    const [from, into] = await two('Hal Both')
    const world = buildGrantWorld(post, now)
    const firm = await world.addBusiness('Example Accountants Ltd')
    const administrator = await world.addAdministrator(firm, await post.addPerson('Ida'))
    const client = await post.addPerson('Jon')
    const employment = await world.give(administrator, from, { kind: 'employee', role: 'reader' })
    const held = await world.giveToFirm(client, administrator)
    const own = await world.giveToFirm(into, administrator)
    const chief = await world.addAdministrator(await world.addBusiness('Hal and Sons Ltd'), from)
    const accepted = await world.giveToFirm(client, chief)
    await test_.owner`
      insert into look (party_id, id, at, by_kind, by_id, by_name, what)
      values (${client.partyId}, ${newId()}, ${now}, 'helper', ${from.partyId}, 'Hal Both of Example Accountants Ltd', 'read')`
    await merge([from, into])
    const grants = await test_.owner<{ id: string; holderId: string; isOver: boolean }[]>`
      select id, holder_id, ended_at is not null as is_over from access_grant`
    const stateOf = (grantId: string) => {
      const { holderId, isOver } = grants.find(({ id }) => id === grantId)!
      return [holderId, isOver]
    }
    assert.deepEqual(stateOf(employment), [into.partyId, false])
    assert.deepEqual(stateOf(held), [firm.partyId, false])
    assert.deepEqual(stateOf(own), [firm.partyId, true])
    assert.deepEqual(stateOf(accepted), [chief.partyId, false])
    const [look] = await test_.owner`select by_id from look where party_id = ${client.partyId} and what = 'read'`
    assert.equal(look?.byId, into.partyId)
    const left = (await placesOf(from)).filter((place) => !Object.hasOwn(staysBehind, place))
    assert.deepEqual(left, [])
  })

  test('senders are told where the mailbox that stays can be reached differently', async () => {
    const feed = () => readRecipientChanges(test_.database, post.keys, post.council, { after: '0', limit: 500 })
    const before = (await feed()).length
    await merge(await two('Cat Both'))
    assert.equal((await feed()).length, before, 'nothing has changed for them')
    const [from, into] = await two('Dee Both')
    await changeRegistration(test_.database, into, { partyId: into.partyId, to: 'exempt', reason: '' }, now)
    await merge([from, into])
    const told = (await feed()).slice(before)
    assert.deepEqual(
      told
        .slice(-2)
        .map(({ identifier, status }) => `${identifier.value} ${status}`)
        .sort(),
      ['Dee Both-1 exempt', 'Dee Both-2 exempt'],
    )
  })

  test('is refused for two of another name or birth date, a business, a closed mailbox, or one and the same', async () => {
    const [one, other] = await two('Eve Both')
    const refused = { code: 'not-found' }
    await assert.rejects(merge([one, one]), refused)
    await assert.rejects(merge([one, { ...other, partyId: newId() }]), refused)
    const [third] = await two('Eve Else')
    await assert.rejects(merge([one, third]), refused)
    await test_.owner`update party set birth_date = '1984-05-18' where id = ${other.partyId}`
    await assert.rejects(merge([one, other]), refused)
    await test_.owner`update party set birth_date = null, kind = 'business' where id in (${one.partyId}, ${other.partyId})`
    await assert.rejects(merge([one, other]), refused)
    const pair = await two('Fay Both')
    await merge(pair)
    await assert.rejects(merge(pair), refused)
  })

  test('a letter on its way to the mailbox that is given up arrives in the other', async () => {
    const [from, into] = await two('Gil Both')
    let go = () => {}
    const merged = new Promise<void>((resolve) => {
      go = resolve
    })
    const merging = within(test_.database, { purpose: 'merge' }, async (sql) => {
      await mergeParties(sql, { fromPartyId: from.partyId, intoPartyId: into.partyId }, now)
      await merged
    })
    await new Promise((resolve) => setTimeout(resolve, 50))
    const { acceptOne } = await import('../delivery/accept.ts')
    const recipient = { scheme: 'link', value: 'Gil Both-1' }
    const sending = acceptOne(test_.database, post.keys, post.council, { ...post.letter('late'), recipient }, now)
    await new Promise((resolve) => setTimeout(resolve, 100))
    go()
    await merging
    const { messageId } = await sending
    const [message] = await test_.owner`select mailbox_id from message where id = ${messageId}`
    assert.equal(message!.mailboxId, into.mailboxId)
  })
})

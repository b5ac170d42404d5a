import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { v7 as newId } from 'uuid'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { readConfig } from '../config.ts'
import { addContactDetail } from './add-contact-detail.ts'
import { answerLink, readLink } from './answer-link.ts'
import { type ContactKind, contactOptions } from './contact-detail.ts'
import { deleteOldAlerts } from './delete-old-alerts.ts'
import { contactDetailsFor, listContactDetails } from './list-contact-details.ts'
import { openPayload } from './outgoing.ts'
import { reconfirmContactDetail } from './reconfirm-contact-detail.ts'
import { removeContactDetail } from './remove-contact-detail.ts'
import { resendCode } from './resend-code.ts'
import { verifyContactDetail } from './verify-contact-detail.ts'

describe('contact details', () => {
  const options = contactOptions(readConfig({ DEMO: 'true', BASE_URL: 'https://post.example' }))
  const { keys } = options
  const now = new Date('2026-11-23T10:00:00Z')
  const after_ = (minutes: number) => new Date(now.getTime() + minutes * 60_000)
  let test_: TestDatabase
  let rosa: string
  let arthur: string
  before(async () => {
    test_ = await createTestDatabase()
  })
  after(() => test_.drop())
  beforeEach(async () => {
    ;[rosa, arthur] = [newId(), newId()]
    await test_.owner`insert into party (id, kind, name) values (${rosa}, 'person', 'Rosa Example'), (${arthur}, 'person', 'Arthur Sample')`
  })

  const add = (value: string, at = now, kind: ContactKind = 'email', partyId = rosa) =>
    addContactDetail(test_.database, options, { partyId, kind, value, language: 'en' }, at)
  const idOf = (added: Awaited<ReturnType<typeof add>>): string => {
    assert.ok('id' in added, JSON.stringify(added))
    return added.id
  }
  /** What the newest message to Rosa holds. */
  const lastSent = async (partyId = rosa) => {
    const [row] = await test_.owner<{ id: string; payloadSealed: Buffer }[]>`
      select id, payload_sealed from outgoing where party_id = ${partyId} order by id desc limit 1`
    const { to, values } = openPayload(keys, row!.id, row!.payloadSealed)
    return { to, code: values.code!, token: values.link!.split('/').at(-1)!, link: values.link! }
  }
  const verify = (id: string, code: string, at = now, partyId = rosa) =>
    verifyContactDetail(test_.database, keys, { partyId, id, code }, at)
  const list = async (partyId = rosa) =>
    (await listContactDetails(test_.database, keys, partyId)).map(
      ({ value, verifiedAt }) => `${value}${verifiedAt ? ' verified' : ''}`,
    )
  const wrongCode = (code: string) => String((Number(code) + 1) % 1_000_000).padStart(6, '0')

  test('are verified by the code that was sent there, and are of no use before', async () => {
    const id = idOf(await add('rosa@mail.example'))
    const sent = await lastSent()
    assert.equal(sent.to, 'rosa@mail.example')
    assert.match(sent.code, /^\d{6}$/)
    assert.match(sent.link, /^https:\/\/post\.example\/confirm-email\/[\w-]{43}$/)
    assert.deepEqual(await contactDetailsFor(test_.database, keys, [rosa]), [{ partyId: rosa, language: undefined, details: [] }])
    assert.equal(await verify(id, wrongCode(sent.code)), 'wrong')
    assert.equal(await verify(id, sent.code), 'verified')
    assert.equal(await verify(id, sent.code), 'verified', 'once more does no harm')
    assert.deepEqual(await list(), ['rosa@mail.example verified'])
    await test_.owner`insert into preference (party_id, language) values (${rosa}, 'cy')`
    const [reachable, other] = await contactDetailsFor(test_.database, keys, [rosa, arthur])
    assert.deepEqual([reachable!.language, reachable!.details.map(({ value }) => value)], ['cy', ['rosa@mail.example']])
    assert.deepEqual(other, { partyId: arthur, language: undefined, details: [] })
  })

  test('stand in the database sealed', async () => {
    await add('rosa@mail.example')
    const [row] = await test_.owner<{ text: string }[]>`
      select (select string_agg(detail::text, ' ') from contact_detail detail) || (select string_agg(outgoing::text, ' ') from outgoing) as text`
    assert.ok(row!.text.length > 500)
    assert.ok(!row!.text.includes('mail.example') && !row!.text.includes(Buffer.from('mail.example').toString('hex')))
    assert.ok(!row!.text.includes((await lastSent()).code))
  })

  test('are verified by the link too, by whoever reads the mail; or forgotten where it was not they', async () => {
    idOf(await add('rosa@mail.example'))
    const { token } = await lastSent()
    assert.equal(await readLink(test_.database, keys, token, now), 'rosa@mail.example')
    assert.equal(await readLink(test_.database, keys, `${token.slice(0, -1)}_`, now), undefined)
    assert.equal(await readLink(test_.database, keys, token, after_(16)), undefined)
    assert.deepEqual(await list(), ['rosa@mail.example'], 'looking changes nothing')
    assert.equal(await answerLink(test_.database, keys, { token, isTheirs: true }, now), true)
    assert.deepEqual(await list(), ['rosa@mail.example verified'])
    assert.equal(await answerLink(test_.database, keys, { token, isTheirs: false }, now), false, 'it works once')
    idOf(await add('other@mail.example'))
    assert.equal(await answerLink(test_.database, keys, { token: (await lastSent()).token, isTheirs: false }, now), true)
    assert.deepEqual(await list(), ['rosa@mail.example verified'])
  })

  test('take five wrong codes, and the right one not after that, nor after 15 minutes', async () => {
    const id = idOf(await add('rosa@mail.example'))
    const { code } = await lastSent()
    assert.equal(await verify(id, code, after_(15)), 'too-late')
    for (let i = 0; i < 3; i++) assert.equal(await verify(id, wrongCode(code)), 'wrong')
    assert.equal(await verify(id, wrongCode(code)), 'too-many-tries')
    assert.equal(await verify(id, code), 'too-many-tries')
    assert.equal(await resendCode(test_.database, options, { partyId: rosa, id, language: 'en' }, now), 'sent')
    assert.equal(await verify(id, (await lastSent()).code), 'verified')
  })

  test('count tries that come at once, each for itself', async () => {
    const id = idOf(await add('rosa@mail.example'))
    const { code } = await lastSent()
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => verify(id, wrongCode(code))))
    assert.equal(outcomes.filter((outcome) => outcome === 'wrong').length, 4)
    assert.equal(await verify(id, code), 'too-many-tries')
  })

  test('get five codes an hour for each person, also where they are asked for at once', async () => {
    const values = Array.from({ length: 8 }, (_, index) => `+4477009001${index}0`)
    const added = await Promise.all(values.map((value) => add(value, now, 'mobile')))
    assert.equal(added.filter((each) => 'id' in each).length, 5)
    assert.deepEqual(await add('rosa@mail.example'), { refused: 'too-many-codes' })
    assert.equal((await list()).length, 1, 'of those that wait there is one mobile number')
    idOf(await add('rosa@mail.example', after_(61)))
  })

  test('are three addresses at most, none twice, and one mobile number, the newest verified', async () => {
    for (const name of ['a', 'b', 'c']) idOf(await add(`${name}@mail.example`))
    assert.deepEqual(await add('d@mail.example'), { refused: 'too-many' })
    const [first] = await listContactDetails(test_.database, keys, rosa)
    assert.deepEqual(await add('A@mail.example'), { id: first!.id }, 'one that waits gets another code')
    assert.equal(await verify(first!.id, (await lastSent()).code), 'verified')
    assert.deepEqual(await add('a@mail.example'), { refused: 'known' })
    for (const [index, number] of ['+447700900123', '+447700900456'].entries()) {
      const at = after_(61 + index)
      const id = idOf(await add(number, at, 'mobile'))
      assert.equal((await list()).filter((each) => /^\+44.* verified$/.test(each)).length, index === 0 ? 0 : 1)
      assert.equal(await verify(id, (await lastSent()).code, at), 'verified')
    }
    assert.deepEqual(
      (await list()).filter((each) => each.startsWith('+')),
      ['+447700900456 verified'],
    )
  })

  test('are their owner’s alone', async () => {
    const id = idOf(await add('rosa@mail.example'))
    const { code } = await lastSent()
    assert.deepEqual(await list(arthur), [])
    await assert.rejects(verify(id, code, now, arthur), { code: 'not-found' })
    const mine = { partyId: arthur, id }
    await assert.rejects(removeContactDetail(test_.database, mine), { code: 'not-found' })
    await assert.rejects(reconfirmContactDetail(test_.database, mine, now), { code: 'not-found' })
    await assert.rejects(resendCode(test_.database, options, { ...mine, language: 'en' }, now), { code: 'not-found' })
    idOf(await add('rosa@mail.example', now, 'email', arthur))
    await removeContactDetail(test_.database, { partyId: rosa, id })
    assert.deepEqual([await list(), await list(arthur)], [[], ['rosa@mail.example']])
  })

  test('are deleted after a week where nobody has confirmed them, and what was sent after a month', async () => {
    const id = idOf(await add('rosa@mail.example'))
    await verify(id, (await lastSent()).code)
    idOf(await add('other@mail.example'))
    await test_.owner`update outgoing set sent_at = ${now} where party_id = ${rosa}`
    const days = (count: number) => after_(count * 24 * 60)
    await deleteOldAlerts(test_.database, days(6))
    assert.equal((await list()).length, 2)
    await deleteOldAlerts(test_.database, days(31))
    assert.deepEqual(await list(), ['rosa@mail.example verified'])
    const [left] = await test_.owner<{ count: number }[]>`select count(*)::int as count from outgoing where party_id = ${rosa}`
    assert.equal(left!.count, 0)
  })
})

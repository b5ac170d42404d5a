import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Pages, startPages } from '../../../test/pages.ts'
import { type Look, noteLooks } from '../../access/look.ts'
import { within } from '../../database/scope.ts'
import { acceptOne } from '../../delivery/accept.ts'

describe('the page of every look', () => {
  const now = { at: new Date('2026-11-23T10:00:00Z') }
  let pages: Pages
  before(async () => {
    pages = await startPages(now)
    const { db, keys, council, letter, rosa } = pages.post
    const { messageId } = await acceptOne(db, keys, council, letter('one'), now.at)
    await pages.get('rosa', `/letters/${messageId}`)
    const { serviceId } = pages.post
    const registrar = { kind: 'registrar', id: 'r', name: 'Bo Dummyname' } as const
    const system = { kind: 'system', id: 'billing', name: 'Billing' } as const
    const staff = { kind: 'staff', id: 's', name: 'Mel Placeholder' } as const
    const looks: [Omit<Look, 'partyId'>, string][] = [
      [{ by: registrar, what: 'record-viewed', reason: 'A letter <b>' }, '2026-11-22T09:05:00Z'],
      [{ by: system, what: 'looked-up', serviceId }, '2026-11-22T09:06:00Z'],
      [{ by: system, what: 'looked-up', serviceId }, '2026-11-22T09:07:00Z'],
      [{ by: staff, what: 'read', messageId, serviceId }, '2026-11-22T09:08:00Z'],
    ]
    for (const [look, at] of looks) {
      const all = [{ partyId: rosa.partyId, ...look }]
      await within(db, { party: rosa.partyId }, (sql) => noteLooks(sql, all, new Date(at)))
    }
  })
  after(() => pages.stop())
  const inWords = async (address: string) =>
    (await pages.get('rosa', address)).body
      .replace(/[\s\S]*<main/, '')
      .replace(/<[^>]+>/g, ' ')
      .replace(/\s+/g, ' ')

  test('says in plain words who did what, when and why, by day', async () => {
    const text = await inWords('/looks')
    assert.match(text, /23 November 2026 10:00am You opened a letter: Your bill Council tax, Northfold Council/)
    assert.match(text, /22 November 2026 9:08am Mel Placeholder \(works for a public body\) read a letter: Your bill/)
    assert.match(text, /9:07am Council tax \(by computer\) asked whether this mailbox can be reached, 2 times/)
    assert.match(text, /9:05am Bo Dummyname \(registrar\) looked at the record of this mailbox .* Why: A letter &lt;b&gt;/)
    assert.doesNotMatch(text, /9:06am/)
  })

  test('shows only what others did, by a link that needs no script', async () => {
    const { body } = await pages.get('rosa', '/looks')
    assert.match(body, /<a class="govuk-link" href="\/looks\/others">Only others<\/a>/)
    const others = await inWords('/looks/others')
    assert.doesNotMatch(others, /You opened/)
    assert.match(others, /Mel Placeholder/)
    assert.match(await inWords('/looks/others'), /Everything/)
  })

  test('is of the reader’s own mailbox', async () => {
    assert.match((await pages.get('arthur', '/looks')).body, /Nothing has been looked at yet/)
    assert.match((await pages.get('arthur', '/looks/others')).body, /Nobody else has looked at anything here/)
    for (const reader of ['nobody', 'registrar', 'staff'] as const)
      assert.match(String((await pages.get(reader, '/looks')).headers.location), /^\/sign-in/)
  })

  test('has no page beyond the last', async () => {
    assert.equal((await pages.get('rosa', '/looks?page=2')).statusCode, 404)
  })
})

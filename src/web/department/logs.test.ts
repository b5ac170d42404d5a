import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { addClerk, type Clerk, signInClerk } from '../../../test/department.ts'
import { type Pages, startPages } from '../../../test/pages.ts'
import { noteLooks } from '../../access/look.ts'
import { scopeOf } from '../../access/scope-of.ts'
import { within } from '../../database/scope.ts'
import { logPageSize } from '../../registry/service-log.ts'

describe('the log of a service', () => {
  const now = { at: new Date('2026-11-23T10:00:00Z') }
  let pages: Pages
  let reading: Clerk
  let ofParking: Clerk
  before(async () => {
    pages = await startPages(now)
    const signIn = async (name: string, ...serviceIds: string[]) =>
      signInClerk(
        pages,
        await addClerk(
          pages.post,
          name,
          serviceIds.map((serviceId) => ({ serviceId, role: 'log-reader' as const })),
        ),
        now.at,
      )
    reading = await signIn('Reader', pages.post.serviceId, pages.post.parkingId)
    ofParking = await signIn('Parking only', pages.post.parkingId)
  })
  after(() => pages.stop())

  const note = (name: string, kind: 'staff' | 'system' | 'helper', serviceId: string, at = now.at) => {
    const { rosa, db, clerk } = pages.post
    const by = { kind, id: '019a0000-0000-7000-8000-000000000001', name }
    const scope = scopeOf(clerk([serviceId]))
    return within(db, scope, (sql) => noteLooks(sql, [{ partyId: rosa.partyId, by, what: 'opened', serviceId }], at))
  }

  test('shows what staff and systems did for it, and says nothing of whose post it was', async () => {
    await note('Mel', 'staff', pages.post.serviceId)
    await note('Billing system', 'system', pages.post.serviceId)
    await note('A daughter', 'helper', pages.post.serviceId)
    const { body } = await reading.get('/department/logs')
    assert.match(body, /<strong>Mel<\/strong> opened a letter/)
    assert.match(body, /<strong>Billing system<\/strong> opened a letter/)
    assert.doesNotMatch(body, /A daughter|Rosa/)
    assert.match((await reading.get('/department/logs?lang=cy')).body, /Agorwyd llythyr gan <strong>Mel<\/strong>/)
  })

  test('is of the services whose log one reads, or of one of them', async () => {
    await note('Parker', 'staff', pages.post.parkingId)
    const all = (await reading.get('/department/logs')).body
    assert.match(all, /Mel.*Council tax/s)
    assert.match(all, /Parker/)
    const one = (await reading.get('/department/logs?service=parking')).body
    assert.match(one, /Log of Parking.*Parker/s)
    assert.doesNotMatch(one, /Mel/)
    assert.doesNotMatch((await ofParking.get('/department/logs')).body, /Mel/)
    assert.equal((await ofParking.get('/department/logs?service=council-tax')).statusCode, 404)
    assert.equal((await reading.get('/department/logs?service=')).statusCode, 200)
    assert.equal((await reading.get('/department/logs?before=nonsense')).statusCode, 404)
  })

  test('has the newest first, and goes on page by page without leaving out or repeating any', async () => {
    const count = logPageSize + 10
    for (let n = 0; n < count; n++)
      await note(`Clerk ${n}.`, 'staff', pages.post.parkingId, new Date(now.at.getTime() + 1_000 * (n >> 1)))
    const seen: string[] = []
    let url: string | undefined = '/department/logs?service=parking'
    while (url) {
      const { body } = await ofParking.get(url)
      seen.push(...[...body.matchAll(/<strong>(Clerk \d+)\./g)].map(([, name]) => name!))
      url = /href="([^"]+)" rel="next"/.exec(body)?.[1]?.replaceAll('&amp;', '&')
    }
    assert.equal(seen.length, count)
    assert.equal(new Set(seen).size, count)
    assert.equal(seen[0], `Clerk ${count - 1}`)
  })

  test('shows look-ups as one line', async () => {
    await pages.post.owner`
      insert into lookup_log (service_id, id, at, client_id, count, found)
      values (${pages.post.serviceId}, '019a0000-0000-7000-8000-000000000002', ${now.at}, 'billing', 10000, 9000)`
    assert.match(
      (await reading.get('/department/logs?service=council-tax')).body,
      /<strong>billing<\/strong> looked up 10000 recipients, 9000 found/,
    )
  })
})

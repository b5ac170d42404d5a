import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { addClerk, type Clerk, signInClerk } from '../../../test/department.ts'
import { type Pages, startPages } from '../../../test/pages.ts'
import { acceptOne } from '../../delivery/accept.ts'

describe('the reconciliation of a service', () => {
  const now = { at: new Date('2026-11-23T10:00:00Z') }
  const page = '/department/reconciliation/council-tax'
  let pages: Pages
  let reading: Clerk
  let managing: Clerk
  before(async () => {
    pages = await startPages(now)
    const { db, keys, council, letter, serviceId, owner } = pages.post
    const clerk = async (name: string, role: 'post-reader' | 'systems-manager') =>
      signInClerk(pages, await addClerk(pages.post, name, [{ serviceId, role }]), now.at)
    reading = await clerk('Reader', 'post-reader')
    managing = await clerk('Manager', 'systems-manager')
    for (const [reference, at] of [['one', '2026-11-20T10:00:00Z'] as const, ['<late>', '2026-11-21T10:00:00Z'] as const])
      await acceptOne(db, keys, council, letter(reference), new Date(at))
    await owner`update ledger set available_at = null where reference = '<late>'`
  })
  after(() => pages.stop())

  const dates = (from: string, to: string) => {
    const query = new URLSearchParams()
    for (const [end, date] of Object.entries({ from, to })) {
      for (const [index, part] of ['year', 'month', 'day'].entries()) query.set(`${end}-${part}`, date.split('-')[index]!)
    }
    return query
  }

  test('shows the last seven days at first, and names what is pending for too long', async () => {
    assert.match(
      (await reading.get('/department/reconciliation')).body,
      /href="\/department\/reconciliation\/council-tax">Council tax/,
    )
    const { body } = await reading.get(page)
    assert.equal([...body.matchAll(/<th scope="row"/g)].length, 8)
    assert.match(body, /23 November 2026.*17 November 2026/s)
    const counts = (day: string) =>
      [...new RegExp(`${day}</th>(.*?)</tr>`, 's').exec(body)![1]!.matchAll(/numeric">(?:<strong>)?(\d+)/g)].map(([, count]) =>
        Number(count),
      )
    assert.deepEqual(counts('20 November 2026'), [1, 1, 0, 0, 0, 0])
    assert.deepEqual(counts('21 November 2026'), [1, 0, 0, 0, 1, 0])
    assert.deepEqual(counts('All'), [2, 1, 0, 0, 1, 0])
    assert.match(
      body,
      /Pending for too long.*&lt;late&gt;<\/a>.*It was accepted and has not been made available yet\..*Since 21 November 2026 at 10:00am/s,
    )
  })

  test('shows other days, and says at its field what is wrong with them', async () => {
    const asked = await reading.get(`${page}?${dates('2026-11-20', '2026-11-20')}`)
    assert.match(asked.body, /No letter of these days is pending/)
    assert.match(asked.body, /days\.csv\?from=2026-11-20&amp;to=2026-11-20/)
    const wrong = async (from: string, to: string) => {
      const { statusCode, body } = await reading.get(`${page}?${dates(from, to)}`)
      return [statusCode, /href="#(\w+)">([^<]+)/.exec(body)?.slice(1).join(': ')]
    }
    assert.deepEqual(await wrong('2026-02-30', '2026-03-01'), [
      422,
      'from: Enter a real date for the first day, such as 31 3 2027',
    ])
    assert.deepEqual(await wrong('2026-03-02', '2026-03-01'), [
      422,
      'to: The last day must be the same as or after the first day',
    ])
    assert.match(String((await wrong('2026-01-01', '2026-04-03'))[1]), /^to: The last day must be at most 92 days/)
    assert.match((await reading.get(`${page}?from-day=x`)).body, /#from">.*#to">/s)
  })

  test('is downloaded as CSV', async () => {
    const days = await reading.get(`${page}/days.csv?from=2026-11-20&to=2026-11-21`)
    assert.equal(days.headers['content-type'], 'text/csv; charset=utf-8')
    assert.match(String(days.headers['content-disposition']), /reconciliation-council-tax-2026-11-20-2026-11-21-days\.csv/)
    assert.equal(
      days.body,
      '\ufeffservice,day,accepted,available,failed,recalled,pending,rejected\r\ncouncil-tax,2026-11-20,1,1,0,0,0,0\r\ncouncil-tax,2026-11-21,1,0,0,0,1,0\r\n',
    )
    assert.match((await reading.get(`${page}/late.csv?from=2026-11-20&to=2026-11-21`)).body, /\r\ncouncil-tax,<late>,/)
    for (const query of [
      '',
      '?from=2026-11-21&to=2026-11-20',
      '?from=2026-01-01&to=2026-12-31',
      '?from=2026-02-30&to=2026-03-01',
    ])
      assert.equal((await reading.get(`${page}/days.csv${query}`)).statusCode, 404, query)
  })

  test('says in Welsh why a letter is late, on its page and in its file', async () => {
    const { db, keys, council, letter } = pages.post
    const later = { ...letter('later'), availableFrom: '2026-11-02T10:00:00Z' }
    await acceptOne(db, keys, council, later, new Date('2026-11-01T10:00:00Z'))
    const scheduled = 'Mae i fod ar gael yn ddiweddarach, fel y dymunodd ei anfonwr.'
    const unknown = 'Fe’i derbyniwyd, ac nid yw wedi’i roi ar gael eto.'
    const { body } = await reading.get(`${page}?${dates('2026-11-01', '2026-11-21')}&lang=cy`)
    assert.ok(body.includes(`>${scheduled}<`) && body.includes(`>${unknown}<`))
    const fileOf = async (part: string) => (await reading.get(`${page}/${part}.csv?from=2026-11-01&to=2026-11-21&lang=cy`)).body
    const late = (await fileOf('late')).split('\r\n')
    assert.equal(late[0], '\ufeffgwasanaeth,cyfeirnod,neges,ers,pam')
    assert.ok(late[1]!.endsWith(`,"${scheduled}"`) && late[2]!.endsWith(`,"${unknown}"`), late.join())
    assert.match(
      await fileOf('days'),
      /^\ufeffgwasanaeth,diwrnod,derbyniwyd,ar gael,methwyd,tynnwyd yn ôl,yn aros,gwrthodwyd\r\n/,
    )
  })

  test('is for staff who may read the post of that service', async () => {
    assert.equal((await managing.get(page)).statusCode, 403)
    assert.equal((await reading.get('/department/reconciliation/parking')).statusCode, 404)
    assert.equal((await reading.get('/department/reconciliation/parking/days.csv?from=2026-11-20&to=2026-11-20')).statusCode, 404)
  })
})

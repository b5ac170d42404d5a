import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { addClerk } from '../../../test/department.ts'
import { billsFor, makeMailing } from '../../../test/mailings.ts'
import { type Pages, startPages } from '../../../test/pages.ts'
import type { Actor } from '../../access/actor.ts'
import { findMailing } from '../../delivery/find-mailings.ts'

describe('the page of a mailing takes a file', () => {
  const now = { at: new Date('2026-11-23T10:00:00Z') }
  let pages: Pages
  let address: string
  let clerk: Actor
  let id: string
  before(async () => {
    pages = await startPages(now)
    address = await pages.app.listen({ host: '127.0.0.1', port: 0 })
    clerk = await addClerk(pages.post, 'Clerk', [{ serviceId: pages.post.serviceId, role: 'post-writer' }])
    id = await makeMailing(pages.post, clerk, now.at)
  })
  after(() => pages.stop())

  /** As a browser sends it: the fields of the form first, and then the file, as it is read. */
  const send = async (
    file: Blob | undefined,
    { csrf, fields = {}, language = 'en' }: { csrf?: string; fields?: Record<string, string>; language?: 'en' | 'cy' } = {},
  ) => {
    const cookie = await pages.signIn('staff')
    const headers = { cookie: `${cookie!.name}=${cookie!.value}; language=${language}` }
    const page = await (await fetch(`${address}/department/mailings/${id}`, { headers })).text()
    const token = csrf ?? /name="csrf" value="([^"]+)"/.exec(page)![1]!
    const form = new FormData()
    for (const [name, value] of Object.entries({ csrf: token, ...fields })) form.set(name, value)
    form.set('file', file ?? new Blob([]), file ? 'bills.csv' : '')
    const response = await fetch(`${address}/department/mailings/${id}/file`, {
      method: 'POST',
      headers,
      body: form,
      redirect: 'manual',
      signal: AbortSignal.timeout(60_000),
    })
    const text = await response.text()
    const said = [...text.matchAll(/id="(?:file|scheme)-error"[^>]*>\s*<span[^>]*>(?:Error|Gwall):<\/span>\s*([^<]*)/g)].map(
      ([, error]) => error!.trim(),
    )
    return { status: response.status, said }
  }
  const stateOf = async () => (await findMailing(pages.post.db, clerk, id)).state
  const csv = (text: string | Buffer) => new Blob([text as never])

  test('and says what is wrong with it beside the field', async () => {
    assert.deepEqual(await send(undefined), { status: 422, said: ['Choose a file'] })
    assert.match((await send(csv(Buffer.from([0x50, 0x4b, 3, 4])))).said[0]!, /^This is a spreadsheet as Excel/)
    assert.match(
      (await send(csv('identifier,name\nCT-1,Rosa\n'))).said[0]!,
      /“first name” is missing.*“name” is not in the template/,
    )
    assert.match((await send(csv(billsFor([])))).said[0]!, /no row below/)
    assert.equal(await stateOf(), 'new')
  })

  test('and says so in Welsh to who reads Welsh', async () => {
    assert.deepEqual((await send(undefined, { language: 'cy' })).said, ['Dewiswch ffeil'])
    const { said } = await send(csv('identifier,name\nCT-1,Rosa\n'), { language: 'cy' })
    assert.match(said[0]!, /golofn “first name” ar goll.*golofn “name” yn y templed/)
  })

  test('that is large and wrong at its beginning, and answers when it has come whole', async () => {
    const large = csv(`identifier,name\n${'CT-1,Somebody with a long name\n'.repeat(1_000_000)}`)
    const { status, said } = await send(large)
    assert.equal(status, 422)
    assert.match(said[0]!, /“first name” is missing/)
  })

  test('only from a form of ours, and before any of it is read', async () => {
    const countFiles = async () => (await pages.post.owner`select from mailing_file`).length
    const before = await countFiles()
    assert.equal((await send(csv(billsFor(['CT-1,Rosa,1'])), { csrf: 'x'.repeat(43) })).status, 403)
    assert.equal(await countFiles(), before)
    assert.equal(await stateOf(), 'new')
  })

  test('by the kinds of identifier that its service may use', async () => {
    const wrong = await send(csv(billsFor(['QQ123456A,Rosa,1'])), { fields: { scheme: 'nino' } })
    assert.equal(wrong.status, 422)
    await pages.post.owner`insert into service_scheme (service_id, scheme) values (${pages.post.serviceId}, 'nino')`
    assert.equal((await send(csv(billsFor(['QQ123456A,Rosa,1'])), { fields: { scheme: 'nino' } })).status, 303)
    assert.equal(await stateOf(), 'checking')
    assert.equal((await send(csv(billsFor(['QQ123456Z,Rosa,1'])), { fields: { scheme: 'nino' } })).status, 303)
    assert.equal(await stateOf(), 'refused')
  })

  test('and takes another in its place, until it is sent', async () => {
    assert.equal((await send(csv(billsFor(['CT-1,Rosa,1'])))).status, 303)
    assert.equal(await stateOf(), 'checking')
    assert.equal((await send(csv(billsFor(['CT-1,Rosa,1', 'CT-1,Rosa,2'])), { fields: { severalAllowed: 'yes' } })).status, 303)
    assert.equal((await findMailing(pages.post.db, clerk, id)).rows, 2)
  })
})

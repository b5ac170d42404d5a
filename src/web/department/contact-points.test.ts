import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { v7 as newId } from 'uuid'
import { type Pages, startPages } from '../../../test/pages.ts'
import { rightsOf } from '../../access/rights.ts'
import { saveContactPoint } from '../../registry/contact-edit.ts'
import { readContactTree } from '../../registry/contact-tree.ts'

describe('the department’s contact points', () => {
  const now = { at: new Date('2026-11-23T10:00:00Z') }
  const folder = '/department/contact-points'
  const appeal = {
    'name-en': 'Appeal a bill',
    'name-cy': 'Apelio',
    'words-en': 'wrong dispute',
    service: 'council-tax',
    audience: 'person',
    'ask-0-label-en': 'Account number',
    'ask-0-required': 'yes',
    'ask-0-length': '12',
    files: '2',
    active: 'yes',
    visible: 'yes',
  }
  let pages: Pages
  before(async () => {
    pages = await startPages(now)
    await pages.post.owner`
      insert into staff_role (staff_id, service_id, role)
      select id, ${pages.post.serviceId}, 'contact-manager' from staff_member where subject = 'mel'`
  })
  after(() => pages.stop())

  /** As a browser sends it: what was filled in, with the hidden fields of the page at `formUrl`. */
  const send = async (url: string, fields: Record<string, string | string[]>, formUrl = url) => {
    const { name, value } = (await pages.signIn('staff'))!
    const headers = { cookie: `${name}=${value}` }
    const page = await pages.app.inject({ url: formUrl, headers })
    const form = new URLSearchParams()
    for (const [, field, typed] of page.body.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g))
      form.set(field!, typed!)
    for (const [field, typed] of Object.entries(fields)) {
      form.delete(field)
      for (const each of [typed].flat()) form.append(field, each)
    }
    return pages.app.inject({
      method: 'POST',
      url,
      headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
      payload: form.toString(),
    })
  }
  const manager = () => ({
    ...pages.post.clerk([]),
    rights: rightsOf('contact-manager', [pages.post.serviceId, pages.post.parkingId]),
  })
  const tree = () => readContactTree(pages.post.db, manager())
  const pointNamed = async (en: string) => (await tree()).points.find(({ name }) => name.en === en)!

  test('what is added is in the tree, and people find it and are asked what it asks', async () => {
    assert.equal((await send(`${folder}/groups/new`, { 'name-en': 'Bills', group: '' })).statusCode, 303)
    const [group] = (await tree()).groups
    const answer = await send(`${folder}/new`, { ...appeal, group: group!.id })
    assert.deepEqual([answer.statusCode, answer.headers.location], [303, folder])
    assert.match((await pages.get('staff', folder)).body, /Bills.*Appeal a bill.*Answered by Council tax/s)
    assert.match((await pages.get('rosa', '/write/northfold-council/groups/bills')).body, /Appeal a bill/)
    assert.match((await pages.get('rosa', '/write?q=dispute')).body, /appeal-a-bill/)
    assert.match((await pages.get('rosa', '/write/northfold-council/appeal-a-bill')).body, /Account number/)
  })

  test('a change shows the fields as they are, and one that is closed or hidden says so', async () => {
    const { id } = await pointNamed('Appeal a bill')
    const page = (await pages.get('staff', `${folder}/${id}`)).body
    assert.match(page, /name="name-cy"[^>]*value="Apelio"/)
    assert.match(page, /name="ask-0-length"[^>]*value="12"/)
    assert.match(page, /\/write\/northfold-council\/appeal-a-bill<\/strong>/)
    const { active: _, visible: __, ...closed } = appeal
    const answer = await send(`${folder}/${id}`, { ...closed, group: '', audience: ['person', 'business'] })
    assert.equal(answer.statusCode, 303)
    assert.match((await pages.get('staff', folder)).body, /Appeal a bill.*Closed.*Hidden/s)
    assert.deepEqual((await pointNamed('Appeal a bill')).audience, ['person', 'business'])
    assert.doesNotMatch((await pages.get('rosa', '/write?q=dispute')).body, /appeal-a-bill/)
  })

  test('what is wrong is said at its field, and what was typed stays', async () => {
    const answer = await send(`${folder}/new`, {
      ...appeal,
      'name-en': '',
      service: 'parking',
      audience: [],
      'ask-0-label-en': '',
      'ask-0-length': 'many',
      'ask-1-label-cy': 'Rhif',
      files: '51',
      megabytes: '0.5',
    })
    assert.equal(answer.statusCode, 422)
    for (const text of [
      '#name-en">Enter a name in English',
      '#service">Choose the service that answers',
      '#audience">Choose who may write here',
      '#ask-0-label-en">Enter what question 1 asks for, in English',
      '#ask-0-length">The longest answer to question 1 must be a whole number',
      '#ask-1-label-en">Enter what question 2 asks for, in English',
      '#files">The number of files must be a whole number from 0 to 50',
      '#megabytes">The size of files must be a whole number from 1 to 25',
    ]) {
      assert.ok(answer.body.includes(text), text)
    }
    const link = await send(`${folder}/new`, { ...appeal, formUrl: 'http://forms.example' })
    assert.match(link.body, /#formUrl">Enter the whole address of the form. It begins with https:/)
    assert.match(answer.body, /name="words-en"[^>]*value="wrong dispute"/)
    assert.match(answer.body, /name="ask-0-length"[^>]*value="many"/)
  })

  test('of two who change one at once, the later is told, keeps what was typed, and may save it knowingly', async () => {
    const { id, version } = await pointNamed('Appeal a bill')
    const details = { name: { en: 'Appeal a bill' }, description: { en: 'By another.' } }
    const other = { seen: { id, version }, serviceId: pages.post.serviceId, groupId: null, details }
    await saveContactPoint(
      pages.post.db,
      { ...manager(), by: { kind: 'staff', id: newId(), name: 'Jo Testcase' } },
      other,
      now.at,
    )
    const mine = { ...appeal, 'description-en': 'By me.', group: '', version: String(version) }
    const wrongToo = await send(`${folder}/${id}`, { ...mine, files: '51' })
    assert.match(wrongToo.body, new RegExp(`name="version" value="${version}"`), 'not told yet, so still refused')
    const told = await send(`${folder}/${id}`, mine)
    assert.equal(told.statusCode, 422)
    assert.match(told.body, /Jo Testcase has changed this while you had it open/)
    assert.match(told.body, /value="By me\."/)
    assert.equal((await pointNamed('Appeal a bill')).description.en, 'By another.')
    const next = /name="version" value="(\d+)"/.exec(told.body)![1]!
    assert.equal((await send(`${folder}/${id}`, { ...mine, version: next })).statusCode, 303)
    assert.equal((await pointNamed('Appeal a bill')).description.en, 'By me.')
  })

  test('a group is renamed, moved and, once empty, deleted', async () => {
    await send(`${folder}/groups/new`, { 'name-en': 'Outer' })
    const { groups } = await tree()
    const [bills, outer] = ['Bills', 'Outer'].map((en) => groups.find(({ name }) => name.en === en)!)
    assert.equal((await send(`${folder}/groups/${bills!.id}`, { 'name-en': 'All bills', group: outer!.id })).statusCode, 303)
    const intoItself = await send(`${folder}/groups/${outer!.id}`, { 'name-en': 'Outer', group: bills!.id })
    assert.match(intoItself.body, /Choose another group: one cannot be in itself/)
    assert.doesNotMatch((await pages.get('staff', `${folder}/groups/${outer!.id}`)).body, /Delete this empty group/)
    assert.match((await pages.get('staff', `${folder}/groups/${bills!.id}`)).body, /Delete this empty group/)
    const deleted = await send(`${folder}/groups/${bills!.id}/delete`, {}, `${folder}/groups/${bills!.id}`)
    assert.equal(deleted.statusCode, 303)
    assert.equal((await pages.get('staff', `${folder}/groups/${bills!.id}`)).statusCode, 404)
  })

  test('another service’s points are seen, and neither opened nor changed', async () => {
    const parking = await pointNamed('Parking')
    const page = (await pages.get('staff', folder)).body
    assert.match(page, /Parking/)
    assert.doesNotMatch(page, new RegExp(parking.id))
    assert.equal((await pages.get('staff', `${folder}/${parking.id}`)).statusCode, 404)
    assert.equal((await send(`${folder}/${parking.id}`, appeal, `${folder}/new`)).statusCode, 404)
    assert.equal((await pointNamed('Parking')).version, 1)
  })

  test('a form without our token changes nothing, and who may not manage contact points sees none', async () => {
    assert.equal((await send(`${folder}/new`, { ...appeal, 'name-en': 'Forged', csrf: 'forged' })).statusCode, 403)
    assert.equal(await pointNamed('Forged'), undefined)
    await pages.post.owner`delete from staff_role where role = 'contact-manager'`
    for (const url of [folder, `${folder}/new`, `${folder}/groups/new`])
      assert.equal((await pages.get('staff', url)).statusCode, 403)
    assert.equal((await send(`${folder}/new`, appeal, '/department')).statusCode, 403)
    assert.equal(await pointNamed('Appeal a bill').then(({ version }) => version > 0), true)
    for (const reader of ['rosa', 'nobody'] as const)
      assert.match(String((await pages.get(reader, folder)).headers.location), /sign-in/)
  })
})

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { addClerk, type Clerk, signInClerk } from '../../../test/department.ts'
import { type Pages, startPages } from '../../../test/pages.ts'
import { type Receiver, startReceiver } from '../../../test/receiver.ts'
import { readConfig } from '../../config.ts'
import { acceptOne } from '../../delivery/accept.ts'
import { deliverWebhook } from '../../evidence/deliver-webhooks.ts'
import { followWebhooks } from '../../evidence/follow-webhooks.ts'
import { webhookReach } from '../../evidence/post-event.ts'

describe('the pages of webhooks', () => {
  const now = { at: new Date('2026-11-23T10:00:00Z') }
  const page = '/department/webhooks/council-tax'
  let pages: Pages
  let receiver: Receiver
  let managing: Clerk
  let ofParking: Clerk
  let reading: Clerk
  before(async () => {
    pages = await startPages(now)
    receiver = await startReceiver()
    const { post } = pages
    const signIn = async (name: string, serviceId: string, role: 'systems-manager' | 'post-reader') =>
      signInClerk(pages, await addClerk(post, name, [{ serviceId, role }]), now.at)
    managing = await signIn('Manager', post.serviceId, 'systems-manager')
    ofParking = await signIn('Parking only', post.parkingId, 'systems-manager')
    reading = await signIn('Reader', post.serviceId, 'post-reader')
  })
  after(async () => {
    await pages.stop()
    await receiver.stop()
  })

  const secretIn = (body: string) => /whsec_[A-Za-z0-9+/]{43}=/.exec(body)?.[0]
  const rows = () => pages.post.owner`select url, version, is_on, changed_by_name from webhook`

  test('an address that is not allowed is said at its field, and stays', async () => {
    for (const url of ['', 'http://sender.example/', 'https://192.168.0.1/']) {
      const answer = await managing.post(page, { url })
      assert.equal(answer.statusCode, 422, url)
      assert.match(answer.body, /href="#url">Enter an address that begins with https:/)
      assert.match(answer.body, new RegExp(`value="${url}"`.replace('value=""', 'name="url"')))
    }
    assert.equal((await rows()).length, 0)
  })

  test('is added, and its secret shown once', async () => {
    assert.match((await managing.get(page)).body, /The service has no webhook.*Add the webhook/s)
    const added = await managing.post(page, { url: receiver.url })
    assert.equal(added.statusCode, 200)
    assert.ok(secretIn(added.body))
    const { body } = await managing.get(page)
    assert.equal(secretIn(body), undefined)
    assert.match(body, /Last changed.*by Manager.*Change the address/s)
    assert.match((await managing.get('/department/webhooks')).body, /Council tax<\/a>.*On.*127\.0\.0\.1/s)
    // The same form again, as by going back: somebody else may have changed it since.
    assert.equal((await managing.post(page, { url: receiver.url, version: '0' })).statusCode, 409)
  })

  test('its secret is changed once by a form that is sent twice', async () => {
    const [before] = await rows()
    const fields = { version: String(before!.version) }
    assert.ok(secretIn((await managing.post(page, fields, `${page}/secret`)).body))
    assert.equal((await managing.post(page, fields, `${page}/secret`)).statusCode, 409)
  })

  test('is switched off and on, and removed when it is off', async () => {
    assert.doesNotMatch((await managing.get(page)).body, /Remove the webhook/)
    assert.equal((await managing.post(page, {}, `${page}/switch`)).statusCode, 303)
    assert.match((await managing.get(page)).body, /This webhook is switched off.*Remove the webhook/s)
    await managing.post(page, { to: 'on' }, `${page}/switch`)
    assert.doesNotMatch((await managing.get(page)).body, /This webhook is switched off/)
  })

  test('what was given up is shown, and sent again by hand', async () => {
    const { db, keys, council, letter, serviceId, owner } = pages.post
    await acceptOne(db, keys, council, letter('<given up>'), now.at)
    await followWebhooks(db, now.at)
    const failure = owner.json({ code: 'answered', status: 500 })
    await owner`update webhook_delivery set is_dead = true, tries = 12, failure = ${failure}, last_tried_at = ${now.at}`
    const { body } = await managing.get(page)
    assert.match(body, /Accepted: &lt;given up&gt;.*12 times.*The receiver answered 500\. 23 November 2026/s)
    assert.match(body, /Send all 2 again/)
    const [delivery] = await owner<{ eventId: string }[]>`select event_id from webhook_delivery order by position limit 1`
    assert.equal((await ofParking.post(page, { delivery: delivery!.eventId }, `${page}/replay`)).statusCode, 404)
    await managing.post(page, { delivery: delivery!.eventId }, `${page}/replay`)
    assert.doesNotMatch((await managing.get(page)).body, /Send all/)
    await managing.post(page, { delivery: 'all' }, `${page}/replay`)
    assert.equal((await managing.post(page, { delivery: "' or 1" }, `${page}/replay`)).statusCode, 404)
    const reach = webhookReach(readConfig({ DEMO: 'true' }))
    await deliverWebhook(db, serviceId, { ...reach, clock: () => now.at, signal: new AbortController().signal })
    assert.deepEqual(
      receiver.received.map(({ event }) => event.type),
      ['message.accepted', 'message.available'],
    )
    assert.match((await managing.get(page)).body, /Last delivered.*23 November 2026 at 10:00am/s)
  })

  test('is not there for who manages the systems of another service, and not for who manages none', async () => {
    assert.equal((await ofParking.get(page)).statusCode, 404)
    assert.doesNotMatch((await ofParking.get('/department/webhooks')).body, /Council tax/)
    for (const url of ['/department/webhooks', page]) assert.equal((await reading.get(url)).statusCode, 403)
    const forms: [to: string, fields: Record<string, string>][] = [
      ['', { url: receiver.url }],
      ['/secret', {}],
      ['/switch', {}],
      ['/remove', {}],
      ['/replay', { delivery: 'all' }],
    ]
    for (const [to, fields] of forms)
      assert.equal((await ofParking.post('/department/webhooks/parking', fields, page + to)).statusCode, 404, to)
    await managing.post(page, {}, `${page}/switch`)
    await managing.post(page, {}, `${page}/remove`)
    assert.equal((await rows()).length, 0)
  })
})

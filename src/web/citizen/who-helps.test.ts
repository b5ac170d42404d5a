import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { buildGrantWorld, type GrantWorld } from '../../../test/grants.ts'
import { type Pages, startPages } from '../../../test/pages.ts'
import { openWindow, type Window } from '../../../test/window.ts'
import { enterGrant } from '../../access/enter-grant.ts'
import { deriveInvitationKey } from '../../access/grant-invitation.ts'
import { readConfig } from '../../config.ts'

describe('the pages about helpers', () => {
  const now = { at: new Date('2026-11-23T10:00:00Z') }
  let pages: Pages
  let world: GrantWorld
  let rosa: Window
  let arthur: Window
  before(async () => {
    pages = await startPages(now)
    world = buildGrantWorld(pages.post, now.at, deriveInvitationKey(readConfig({ DEMO: 'true' }).secretKey))
    rosa = await openWindow(pages, 'rosa')
    arthur = await openWindow(pages, 'arthur')
  })
  after(() => pages.stop())

  const codeIn = (html: string) => /<p class="post-code">([^<]+)<\/p>/.exec(html)?.[1] ?? ''
  const until = { 'until-day': '3', 'until-month': '3', 'until-year': '2027' }

  test('nobody helps at first, and she stays responsible for reading her post', async () => {
    const { body } = await rosa.get('/helpers')
    assert.match(body, /Nobody\. Only you can open your mailbox/)
    assert.match(body, /You stay responsible for reading your post/)
  })

  test('an offer is limited to a sender and a day, accepted by its code, and then ended', async () => {
    await rosa.get('/helpers/add')
    const limits = { extent: 'some', services: pages.post.serviceId, ...until }
    const made = await rosa.submitAndFollow('/helpers/add', { name: 'My <b>uncle</b>', role: 'reader', ...limits })
    assert.equal(made.statusCode, 200)
    assert.match(made.body, /Give My &lt;b&gt;uncle&lt;\/b&gt; this code/)
    assert.match(made.body, /enter it by 7 December 2026/)
    assert.match(made.body, /Waiting for an answer/)

    await arthur.get('/helping')
    const offer = await arthur.submitAndFollow('/helping', { code: codeIn(made.body) })
    assert.match(offer.body, /<h1[^>]*>Help Rosa Example with their post/)
    assert.match(offer.body, /Rosa Example offers you this\. You are Arthur Sample/)
    assert.match(offer.body, /Read only.*Council tax only.*3 March 2027.*You cannot answer or write/s)
    const id = /\/helping\/offers\/([0-9a-f-]{36})/.exec(
      (await arthur.submit('/helping', { code: codeIn(made.body) })).headers.location as string,
    )![1]
    const accepted = await arthur.submitAndFollow(`/helping/offers/${id}`, { answer: 'accept' })
    assert.match(
      accepted.body,
      /Rosa Example<\/h2>\s*<p[^>]*>You are a helper\. Read only, Council tax only, until 3 March 2027\./,
    )

    const details = await rosa.get(`/helpers/${id}`)
    assert.match(details.body, /Accepted by\s*<\/dt>\s*<dd[^>]*>\s*Arthur Sample, 23 November 2026 at 10:00am/)
    assert.doesNotMatch(details.body, /post-code/)
    const ended = await rosa.submitAndFollow(`/helpers/${id}/end`)
    assert.match(ended.body, /Before.*Arthur Sample.*Ended/s)
    assert.match((await arthur.get(`/helping/${id}`)).body, /Ended by\s*<\/dt>\s*<dd[^>]*>\s*Rosa Example/)
    assert.doesNotMatch((await arthur.get('/mailboxes')).body, /Rosa Example/)
  })

  test('an invitation is taken back or declined, and its code leads nowhere', async () => {
    const make = async () => {
      await rosa.get('/helpers/add')
      return rosa.submit('/helpers/add', { name: 'Anna', role: 'writer', extent: 'all' })
    }
    const address = (await make()).headers.location as string
    const code = codeIn((await rosa.get(address)).body)
    await rosa.submitAndFollow(`${address}/end`)
    await arthur.get('/helping')
    const refused = await arthur.submit('/helping', { code })
    assert.equal(refused.statusCode, 422)
    assert.match(refused.body, /href="#code">No invitation has this code/)
    const second = (await make()).headers.location as string
    await arthur.submitAndFollow('/helping', { code: codeIn((await rosa.get(second)).body) })
    await arthur.submit(`/helping/offers/${second.split('/').at(-1)}`, { answer: 'decline' })
    assert.match((await rosa.get(second)).body, /Declined/)
  })

  test('what is wrong is said at its field, and what was typed stays', async () => {
    await rosa.get('/helpers/add')
    const day = {
      'from-day': '31',
      'from-month': '2',
      'from-year': '2027',
      'until-day': '22',
      'until-month': '11',
      'until-year': '2026',
    }
    const { statusCode, body } = await rosa.submit('/helpers/add', { name: '', extent: 'some', ...day })
    assert.equal(statusCode, 422)
    for (const error of [
      'name">Enter who it is for',
      'role">Select what they can do',
      'services">Select at least one sender',
      'from-day">From must be a real date',
      'until-day">Until must be today or later',
    ])
      assert.match(body, new RegExp(`href="#${error}`))
    assert.match(body, /name="until-year"[^>]*value="2026"/)
    for (const [fields, error] of [
      [{}, /Select from whom/],
      [{ extent: 'all', services: pages.post.serviceId }, /Select “Only some senders”, or clear the senders/],
    ] as const) {
      const unclear = await rosa.submit('/helpers/add', { name: 'Anna', role: 'reader', ...fields })
      assert.match(unclear.body, error)
    }
    const foreign = { name: 'Anna', role: 'administrator', extent: 'some', services: [pages.post.parkingId, 'nonsense'] }
    assert.match((await rosa.submit('/helpers/add', foreign)).body, /Select what they can do.*Select at least one sender/s)
  })

  test('from and until may be one day, and it counts to its end', async () => {
    await rosa.get('/helpers/add')
    const day = {
      'from-day': '1',
      'from-month': '7',
      'from-year': '2027',
      'until-day': '1',
      'until-month': '7',
      'until-year': '2027',
    }
    const { headers } = await rosa.submit('/helpers/add', { name: 'A day', role: 'reader', extent: 'all', ...day })
    const id = (headers.location as string).split('/').at(-1)!
    const [row] = await pages.post.owner`select starts_at, ends_at from access_grant where id = ${id}`
    assert.deepEqual([row!.startsAt, row!.endsAt], [new Date('2027-06-30T23:00:00Z'), new Date('2027-07-01T22:59:59Z')])
  })

  test('her own code, and a circle, are refused in plain words', async () => {
    const own = await world.offer(pages.post.rosa)
    await rosa.get('/helping')
    await rosa.submitAndFollow('/helping', { code: own.code })
    const self = await rosa.submit(`/helping/offers/${own.grantId}`, { answer: 'accept' })
    assert.equal(self.statusCode, 422)
    assert.match(self.body, /This invitation is for your own mailbox/)
    await world.give(pages.post.rosa, pages.post.arthur)
    const back = await world.offer(pages.post.arthur)
    await rosa.get('/helping')
    await rosa.submitAndFollow('/helping', { code: back.code })
    const circle = await rosa.submit(`/helping/offers/${back.grantId}`, { answer: 'accept' })
    assert.match(circle.body, /Arthur Sample can open your mailbox, directly or through others/)
  })

  test('others’ grants, and forms without our token, are refused', async () => {
    const grantId = await world.give(pages.post.rosa, pages.post.arthur)
    const stranger = await openWindow(pages, 'arthur')
    await stranger.get('/helpers')
    assert.equal((await stranger.get(`/helpers/${grantId}`)).statusCode, 404)
    await stranger.get('/helpers')
    assert.equal((await stranger.submit(`/helpers/${grantId}/end`)).statusCode, 404)
    assert.equal((await rosa.get(`/helping/${grantId}`)).statusCode, 404)
    assert.equal((await rosa.get(`/helping/offers/${grantId}`)).statusCode, 404)
    for (const url of ['/helpers/add', `/helpers/${grantId}/end`, '/helping', `/helping/${grantId}/end`, '/mailboxes/open'])
      assert.equal((await rosa.submit(url, { csrf: 'x' })).statusCode, 403, url)
    await arthur.get(`/helping/${grantId}`)
    await arthur.submit(`/helping/${grantId}/end`)
    assert.match((await rosa.get(`/helpers/${grantId}`)).body, /Ended by\s*<\/dt>\s*<dd[^>]*>\s*Arthur Sample/)
  })

  test('what a registrar entered is shown with its document, and is not hers to end', async () => {
    const document = { filename: 'order.pdf', mediaType: 'application/pdf', bytes: Buffer.from('%PDF order') }
    const { partyId: giverId } = pages.post.rosa
    const entry = {
      giverId,
      holderId: pages.post.arthur.partyId,
      kind: 'attorney',
      role: 'reader',
      isAdministrator: false,
    } as const
    const endsAt = new Date('2027-11-23T12:00:00Z')
    const { grantId } = await enterGrant(pages.post.db, world.registrar, { ...entry, endsAt, reason: 'Power', document }, now.at)
    const { body } = await rosa.get(`/helpers/${grantId}`)
    assert.match(body, /A registrar entered this access/)
    assert.doesNotMatch(body, /End it now/)
    const refused = await rosa.submit(`/helpers/${grantId}/end`)
    assert.equal(refused.statusCode, 409)
    assert.match(refused.body, /href="#end">This access was entered by a registrar/)
    const file = await rosa.get(`/helpers/${grantId}/document`)
    assert.deepEqual([file.body, file.headers['content-type']], ['%PDF order', 'application/pdf'])
    assert.match(String(file.headers['content-disposition']), /^attachment/)
    assert.equal((await arthur.get(`/helpers/${grantId}/document`)).statusCode, 404)
  })

  test('after too many codes the page says to wait', async () => {
    await arthur.get('/helping')
    for (let n = 0; n < 10; n += 1) await arthur.submit('/helping', { code: `wrong ${n}` })
    const { statusCode, body } = await arthur.submit('/helping', { code: 'wrong' })
    assert.equal(statusCode, 429)
    assert.match(body, /Wait an hour/)
  })
})

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { buildGrantWorld, type GrantWorld } from '../../../test/grants.ts'
import { type Pages, startPages } from '../../../test/pages.ts'
import { openWindow, type Window } from '../../../test/window.ts'
import { endGrant } from '../../access/end-grant.ts'
import { enterGrant } from '../../access/enter-grant.ts'
import { deriveInvitationKey } from '../../access/grant-invitation.ts'
import type { Offer } from '../../access/offer-grant.ts'
import { readConfig } from '../../config.ts'
import { acceptOne } from '../../delivery/accept.ts'
import { find } from '../../mailbox/find.ts'

describe('somebody else’s mailbox', () => {
  const now = { at: new Date('2026-11-23T10:00:00Z') }
  const documents = [{ role: 'main' as const, files: [{ filename: 'bill.txt', mediaType: 'text/plain', content: 'YSBiaWxs' }] }]
  const banner = /<section class="post-mailbox-open"/
  let pages: Pages
  let world: GrantWorld
  let letter: string
  let file: string
  before(async () => {
    pages = await startPages(now)
    const { db, keys, council, letter: letterOf, rosa } = pages.post
    world = buildGrantWorld(pages.post, now.at, deriveInvitationKey(readConfig({ DEMO: 'true' }).secretKey))
    const { messageId } = await acceptOne(db, keys, council, { ...letterOf('one'), documents }, now.at)
    letter = `/letters/${messageId}`
    file = `${letter}/files/${(await find(db, rosa, messageId)).documents[0]!.files[0]!.id}?download`
  })
  after(() => pages.stop())

  const give = (change?: Partial<Offer>) => world.give(pages.post.rosa, pages.post.arthur, change)
  const end = (grantId: string) => endGrant(pages.post.db, pages.post.rosa, { grantId }, now.at)
  const enter = async (grantId: string): Promise<Window> => {
    const window = await openWindow(pages, 'arthur')
    await window.get('/mailboxes')
    const answer = await window.submit('/mailboxes/open', { grant: grantId })
    assert.equal(answer.statusCode, 303)
    return window
  }

  test('a reader sees whose it is on every page, reads, and is offered no writing', async () => {
    const grantId = await give({ serviceIds: [pages.post.serviceId], endsAt: new Date('2027-03-03T23:59:59Z') })
    const arthur = await enter(grantId)
    for (const url of ['/inbox', letter, '/sent', '/mailboxes', '/helping', '/nowhere']) {
      const { body } = await arthur.get(url)
      assert.match(
        body,
        /You are in <strong>Rosa Example’s mailbox<\/strong>, as a helper \(read only, Council tax only, until 3 March 2027\)\. You are Arthur Sample/,
        url,
      )
      assert.match(body, /<button[^>]*>Back to your own<\/button>/)
      assert.match(body, /Signed in as Arthur Sample/)
      assert.doesNotMatch(body, /href="\/write"/, url)
    }
    const page = (await arthur.get(letter)).body
    assert.match(page, /You have a bill\./)
    assert.match(page, /You can read this letter, and cannot answer it/)
    assert.doesNotMatch(page, new RegExp(`${letter}/answer`))
    assert.equal((await arthur.get(file)).body, 'a bill')
    for (const url of ['/write', '/write/northfold-council', `${letter}/answer`, '/helpers', '/people', '/helpers/add']) {
      const refused = await arthur.get(url)
      assert.equal(refused.statusCode, 403, url)
      assert.match(refused.body, /You cannot do this here/)
    }
    await end(grantId)
  })

  test('his own pages have no banner, and are his again when he goes back', async () => {
    const arthur = await enter(await give())
    assert.match((await arthur.get('/inbox')).body, banner)
    assert.equal((await arthur.submit('/mailboxes/open')).headers.location, '/')
    const inbox = (await arthur.get('/inbox')).body
    assert.doesNotMatch(inbox, banner)
    assert.match(inbox, /href="\/write"/)
    assert.equal((await arthur.get(letter)).statusCode, 404)
    assert.doesNotMatch((await (await openWindow(pages, 'rosa')).get('/inbox')).body, banner)
  })

  test('an access that has ended refuses the next click, downloads included, and then the own mailbox is open', async () => {
    for (const url of ['/inbox', letter, file, '/mailboxes']) {
      const grantId = await give()
      const arthur = await enter(grantId)
      assert.equal((await arthur.get(url)).statusCode, 200)
      await end(grantId)
      const refused = await arthur.get(url)
      assert.equal(refused.statusCode, 403, url)
      assert.match(refused.body, /You can no longer open that mailbox.*You are in your own mailbox again/s)
      assert.doesNotMatch(refused.body, /a bill|Your bill/)
      assert.doesNotMatch(refused.body, banner)
      const own = await arthur.get('/inbox')
      assert.equal(own.statusCode, 200)
      assert.doesNotMatch(own.body, banner)
      assert.equal((await arthur.get(letter)).statusCode, 404)
    }
  })

  test('an access ends by itself at its end, and one that has not begun cannot be opened', async () => {
    const arthur = await enter(await give({ endsAt: new Date(now.at.getTime() + 60_000) }))
    now.at = new Date(now.at.getTime() + 60_000)
    assert.equal((await arthur.get(letter)).statusCode, 403)
    const later = await give({ startsAt: new Date('2026-12-01T00:00:00Z') })
    assert.match((await arthur.get('/mailboxes')).body, /You can open it from 1 December 2026/)
    assert.equal((await arthur.submit('/mailboxes/open', { grant: later })).statusCode, 404)
  })

  test('whoever has no grant, or another’s, opens nothing', async () => {
    const grantId = await give()
    const rosa = await openWindow(pages, 'rosa')
    await rosa.get('/mailboxes')
    assert.equal((await rosa.submit('/mailboxes/open', { grant: grantId })).statusCode, 404)
    assert.equal((await rosa.submit('/mailboxes/open', { grant: 'nonsense' })).statusCode, 404)
    assert.doesNotMatch((await rosa.get('/inbox')).body, banner)
    await end(grantId)
    const arthur = await openWindow(pages, 'arthur')
    await arthur.get('/mailboxes')
    assert.equal((await arthur.submit('/mailboxes/open', { grant: grantId })).statusCode, 404)
  })

  test('a form made in one mailbox is not taken in another, and the page says so', async () => {
    const grantId = await give({ role: 'writer' })
    const one = await openWindow(pages, 'arthur')
    const two = one.another()
    await one.get('/helpers/add')
    await two.get('/mailboxes')
    await two.submit('/mailboxes/open', { grant: grantId })
    const refused = await one.submit('/helpers/add', { name: 'Anna', role: 'writer', extent: 'all' })
    assert.equal(refused.statusCode, 403)
    assert.match(refused.body, /You have another mailbox open now.*Nothing was sent/s)
    assert.match(refused.body, banner)
    // Going back, and signing out, work from any page.
    await two.get('/inbox')
    await one.get('/inbox')
    assert.equal((await one.submit('/mailboxes/open')).statusCode, 303)
    assert.equal((await two.submit('/mailboxes/open')).statusCode, 303)
    await two.get('/mailboxes')
    await two.submit('/mailboxes/open', { grant: grantId })
    await two.get('/inbox')
    await end(grantId)
    assert.equal((await two.submit('/sign-out')).statusCode, 303)
    assert.equal((await two.get('/inbox')).statusCode, 303)
  })

  test('a writer answers, and both sides see who wrote', async () => {
    const grantId = await give({ role: 'writer' })
    const cookie = (await pages.signIn('arthur'))!
    const headers = { cookie: `${cookie.name}=${cookie.value}` }
    const get = (url: string) => pages.app.inject({ url, headers })
    const csrfOf = (html: string) => /name="csrf" value="([^"]*)"/.exec(html)![1]!
    const form = async (url: string, fields: Record<string, string>, csrf: string) => {
      const data = new FormData()
      for (const [name, value] of Object.entries({ csrf, ...fields })) data.set(name, value)
      const encoded = new Response(data)
      const type = { 'content-type': encoded.headers.get('content-type')! }
      const payload = Buffer.from(await encoded.arrayBuffer())
      return pages.app.inject({ method: 'POST', url, headers: { ...headers, ...type }, payload })
    }
    const own = csrfOf((await get('/mailboxes')).body)
    const type = { 'content-type': 'application/x-www-form-urlencoded' }
    const payload = new URLSearchParams({ csrf: own, grant: grantId }).toString()
    await pages.app.inject({ method: 'POST', url: '/mailboxes/open', headers: { ...headers, ...type }, payload })
    const page = (await get(`${letter}/answer`)).body
    const reference = /name="reference" value="([^"]*)"/.exec(page)![1]!
    const answer = { reference, text: 'Rosa pays on Monday' }
    const stale = await form(`${letter}/answer`, answer, own)
    assert.equal(stale.statusCode, 403)
    assert.match(stale.body, /You have another mailbox open now/)
    const sent = await form(`${letter}/answer`, answer, csrfOf(page))
    assert.equal(sent.statusCode, 303)
    const address = (sent.headers.location as string).replace('/confirmation', '')
    const rosa = await openWindow(pages, 'rosa')
    assert.match((await rosa.get(address)).body, /Written by Arthur Sample for Rosa Example/)
    assert.match((await rosa.get(letter)).body, /You wrote on.*Written by Arthur Sample for Rosa Example.*Rosa pays on Monday/s)
    const staff = await pages.get('staff', `/department/messages/${address.split('/').at(-1)}`)
    assert.match(staff.body, /Arthur Sample for Rosa Example/)
    await end(grantId)
  })

  test('its owner’s record says when it was opened, and by whom', async () => {
    await pages.post.owner`delete from look where party_id = ${pages.post.rosa.partyId}`
    const grantId = await give()
    await enter(grantId)
    const looks = await pages.post.owner`select what, by_kind, by_name from look where party_id = ${pages.post.rosa.partyId}`
    assert.deepEqual({ ...looks[0] }, { what: 'mailbox-opened', byKind: 'helper', byName: 'Arthur Sample' })
  })

  test('of a closed mailbox only an executor opens what is kept', async () => {
    const gone = await pages.post.addPerson('CT-8')
    const helper = await world.give(gone, pages.post.arthur)
    const document = { filename: 'probate.pdf', mediaType: 'application/pdf', bytes: Buffer.from('%PDF') }
    await pages.post.owner`update mailbox set registration = 'closed' where id = ${gone.mailboxId}`
    const entry = { giverId: gone.partyId, holderId: pages.post.arthur.partyId, role: 'reader', isAdministrator: false } as const
    const endsAt = new Date('2027-11-23T12:00:00Z')
    const { grantId } = await enterGrant(
      pages.post.db,
      world.registrar,
      { ...entry, kind: 'executor', endsAt, reason: 'Probate', document },
      now.at,
    )
    const arthur = await openWindow(pages, 'arthur')
    await arthur.get('/mailboxes')
    assert.equal((await arthur.submit('/mailboxes/open', { grant: helper })).statusCode, 404)
    await arthur.get('/mailboxes')
    await arthur.submit('/mailboxes/open', { grant: grantId })
    assert.match((await arthur.get('/inbox')).body, /as an executor \(read only, until 23 November 2027\)/)
  })
})

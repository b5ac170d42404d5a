import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { v7 as newId } from 'uuid'
import { buildGrantWorld, type GrantWorld } from '../../../test/grants.ts'
import { type Pages, startPages } from '../../../test/pages.ts'
import { openWindow, type Window } from '../../../test/window.ts'
import type { Actor } from '../../access/actor.ts'
import { deriveInvitationKey } from '../../access/grant-invitation.ts'
import { readConfig } from '../../config.ts'
import { acceptOne } from '../../delivery/accept.ts'

describe('the post that a firm helps with', () => {
  const now = { at: new Date('2026-11-23T10:00:00Z') }
  let pages: Pages
  let world: GrantWorld
  let firm: { partyId: string; mailboxId: string }
  /** Runs the firm. */
  let arthur: Window
  let administrator: Actor
  /** Lets it in. */
  let rosa: Window
  before(async () => {
    pages = await startPages(now)
    world = buildGrantWorld(pages.post, now.at, deriveInvitationKey(readConfig({ DEMO: 'true' }).secretKey))
    firm = await world.addBusiness('Example Accountants Ltd')
    administrator = await world.addAdministrator(firm, pages.post.arthur)
    const { db, keys, council, letter } = pages.post
    await acceptOne(db, keys, council, letter('a'), now.at)
    await acceptOne(db, keys, council, { ...letter('b'), subject: 'For Rosa alone', recipientOnly: true }, now.at)
    arthur = await openWindow(pages, 'arthur')
    rosa = await openWindow(pages, 'rosa')
  })
  after(() => pages.stop())

  const openFirm = async () => {
    await arthur.get('/mailboxes')
    await arthur.submit('/mailboxes/open', { grant: administrator.by.grantId! })
  }
  const openRosas = async (grant: string) => {
    await arthur.get('/mailboxes')
    return arthur.submitAndFollow('/mailboxes/open', { grant, via: administrator.by.grantId! })
  }
  const invite = async () => {
    await rosa.get('/helpers/add')
    const made = await rosa.submitAndFollow('/helpers/add', { name: 'My accountants', role: 'writer', extent: 'all' })
    assert.match(made.body, /If it is for a business, an administrator there opens the mailbox of the business first/)
    return /<p class="post-code">([^<]+)<\/p>/.exec(made.body)![1]!
  }
  const showOffer = async (code: string) => {
    await arthur.get('/helping')
    const { location } = (await arthur.submit('/helping', { code })).headers
    return {
      address: location as string,
      id: (location as string).split('/').at(-1)!,
      page: await arthur.get(location as string),
    }
  }

  test('is accepted for the firm in its mailbox, by who manages it there, and shown on both sides', async () => {
    const code = await invite()
    const own = await showOffer(code)
    assert.match(own.page.body, /To accept for a business, open its mailbox first/)
    assert.doesNotMatch(own.page.body, /accept-for-firm/)
    await openFirm()
    const { address, id, page } = await showOffer(code)
    assert.match(page.body, /can accept for Example Accountants Ltd or for yourself/)
    assert.match(page.body, /If you accept for Example Accountants Ltd:.*Those who work for Example Accountants Ltd/s)
    assert.match(page.body, /value="accept-for-firm"[^>]*>\s*Accept for Example Accountants Ltd/)
    const taken = await arthur.submitAndFollow(address, { answer: 'accept-for-firm' })
    assert.match(
      taken.body,
      /Through a firm that you work for.*Rosa Example.*Through Example Accountants Ltd, as a helper\. Read and write\./s,
    )
    assert.match(taken.body, /Open<span[^>]*> the mailbox of Rosa Example through Example Accountants Ltd/)

    const list = (await arthur.get('/helping')).body
    assert.match(list, /Whom Example Accountants Ltd helps now.*Rosa Example.*Whom you help now.*Example Accountants Ltd/s)
    assert.match((await arthur.get(`/helping/${id}`)).body, /Accepted by.*Arthur Sample for Example Accountants Ltd.*Give it up/s)
    const given = (await rosa.get(`/helpers/${id}`)).body
    assert.match(given, /Accepted by.*Arthur Sample for Example Accountants Ltd/s)
    assert.match(given, /Those who work for Example Accountants Ltd and read its post can open this mailbox/)
    assert.match((await rosa.get('/helpers')).body, /Example Accountants Ltd.*Helper\. Read and write\. <strong>Active/s)
    await arthur.submit('/mailboxes/open')
    assert.equal((await arthur.get(`/helping/${id}`)).statusCode, 404, 'in his own mailbox it is not his')
  })

  test('is read and written by its people, whose names and firm the owner and the public body see', async () => {
    const grantId = await world.giveToFirm(pages.post.rosa, administrator, { role: 'writer' })
    const inbox = await openRosas(grantId)
    assert.equal(inbox.statusCode, 303)
    const { body } = await arthur.get('/inbox')
    assert.match(
      body,
      /You are in <strong>Rosa Example’s mailbox<\/strong>, as a helper, through Example Accountants Ltd \(read and write\)\. You are Arthur Sample\./,
    )
    assert.match(body, /Your bill/)
    assert.doesNotMatch(body, /For Rosa alone/)
    const letter = /href="(\/letters\/[0-9a-f-]+)"/.exec(body)![1]!
    await arthur.get(letter)
    const page = (await arthur.get(`${letter}/answer`)).body
    const data = new FormData()
    const hidden = (name: string) => new RegExp(`name="${name}" value="([^"]*)"`).exec(page)![1]!
    for (const name of ['csrf', 'reference']) data.set(name, hidden(name))
    data.set('text', 'The accountants answer')
    const encoded = new Response(data)
    const sent = await arthur.send(
      `${letter}/answer`,
      encoded.headers.get('content-type')!,
      Buffer.from(await encoded.arrayBuffer()),
    )
    assert.equal(sent.statusCode, 303)
    const address = (sent.headers.location as string).replace('/confirmation', '')
    assert.match((await rosa.get(address)).body, /Written by Arthur Sample of Example Accountants Ltd for Rosa Example/)
    const staff = await pages.get('staff', `/department/messages/${address.split('/').at(-1)}`)
    assert.match(staff.body, /Arthur Sample of Example Accountants Ltd for Rosa Example/)
    const looks = (await rosa.get('/looks/others')).body
    for (const did of ['opened this mailbox', 'opened a letter', 'answered a letter'])
      assert.match(looks, new RegExp(`Arthur Sample of Example Accountants Ltd</strong> \\(was let into this mailbox\\) ${did}`))
    for (const url of ['/helpers', '/people', '/linked-services', '/registration'])
      assert.equal((await arthur.get(url)).statusCode, 403, url)

    const again = await openRosas(grantId)
    assert.equal(again.statusCode, 303)
    await rosa.get(`/helpers/${grantId}`)
    await rosa.submit(`/helpers/${grantId}/end`)
    const refused = await arthur.get(letter)
    assert.equal(refused.statusCode, 403)
    assert.match(refused.body, /You can no longer open that mailbox.*You are in your own mailbox again/s)
    assert.equal((await openRosas(grantId)).statusCode, 404)
  })

  test('is refused in plain words in a circle, and where only a person can accept', async () => {
    await openFirm()
    const circle = await world.offer(
      world.inMailboxOf(firm, pages.post.arthur, administrator.by.grantId!, administrator.rights),
      {
        kind: 'adviser',
      },
    )
    const own = await showOffer(circle.code)
    const refused = await arthur.submit(own.address, { answer: 'accept-for-firm' })
    assert.equal(refused.statusCode, 422)
    assert.match(refused.body, /it is for the mailbox that you have open/)
    const client = await pages.post.addPerson('C-1')
    const business = await world.addAdministrator(await world.addBusiness('Client Ltd'), client)
    await world.give(administrator, client, { kind: 'employee', role: 'reader' })
    const ofEmployee = await showOffer((await world.offer(client)).code)
    const circular = await arthur.submit(ofEmployee.address, { answer: 'accept-for-firm' })
    assert.equal(circular.statusCode, 422)
    assert.match(circular.body, /Person C-1 can open the mailbox of Example Accountants Ltd, directly or through others/)
    const employee = await showOffer((await world.offer(business, { kind: 'employee' })).code)
    assert.doesNotMatch(employee.page.body, /accept-for-firm|open its mailbox first, and enter/)
    const forged = await arthur.submit(employee.address, { answer: 'accept-for-firm' })
    assert.equal(forged.statusCode, 422)
    assert.match(forged.body, /A business cannot accept this/)
    await arthur.submit('/mailboxes/open')
    await arthur.get(employee.address)
    assert.equal((await arthur.submit(employee.address, { answer: 'nonsense' })).statusCode, 422)
  })

  test('of a business, the firm’s access is changed without what a firm cannot be', async () => {
    const business = await world.addBusiness('Example Bakery Ltd')
    const client = await world.addAdministrator(business, pages.post.rosa)
    const grantId = await world.giveToFirm(client, administrator, { kind: 'adviser' })
    await rosa.get('/mailboxes')
    await rosa.submit('/mailboxes/open', { grant: client.by.grantId! })
    assert.match(
      (await rosa.get('/people')).body,
      /by those who work for a business listed here.*Example Accountants Ltd.*Adviser/s,
    )
    const form = (await rosa.get(`/people/${grantId}/change`)).body
    assert.doesNotMatch(form, /name="kind"|name="isAdministrator"|value="none"/)
    const changed = await rosa.submitAndFollow(`/people/${grantId}/change`, {
      role: 'writer',
      kind: 'employee',
      isAdministrator: 'yes',
    })
    assert.match(changed.body, /Adviser from outside.*Read and write/s)
    await rosa.submit('/mailboxes/open')
  })

  test('is given up by who manages the firm, in its mailbox', async () => {
    const grantId = await world.giveToFirm(pages.post.rosa, administrator)
    await openFirm()
    await arthur.get(`/helping/${grantId}`)
    assert.equal((await arthur.submit(`/helping/${grantId}/end`)).headers.location, '/helping')
    assert.match((await rosa.get(`/helpers/${grantId}`)).body, /Ended by.*Arthur Sample of Example Accountants Ltd/s)
    assert.match((await arthur.get('/helping')).body, /Whom Example Accountants Ltd helped before.*Rosa Example/s)
  })

  test('of many clients each is reached, by name, page after page', async () => {
    const { owner, rosa: client } = pages.post
    for (let each = 0; each < 60; each += 1)
      await owner`
        insert into access_grant (id, giver_id, giver_name, holder_id, holder_is_business, kind, role, starts_at, holder_name, offered_at, offered_by_name, accepted_at)
        values (${newId()}, ${client.partyId}, ${`Client ${String(each).padStart(2, '0')}`}, ${firm.partyId}, true, 'helper', 'reader', ${now.at}, 'Firm', ${now.at}, 'x', ${now.at})`
    const [first, second] = [(await arthur.get('/mailboxes')).body, (await arthur.get('/mailboxes?page=2')).body]
    assert.match(first, /Client 00.*Client 01.*Client 47/s)
    assert.doesNotMatch(first, /Client 59/)
    assert.match(second, /Client 59/)
    assert.match(first, /href="\/mailboxes\?page=2"/)
    assert.equal((await arthur.get('/mailboxes?page=3')).statusCode, 404)
  })
})

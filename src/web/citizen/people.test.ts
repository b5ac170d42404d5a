import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { v7 as newId } from 'uuid'
import { buildGrantWorld, type GrantWorld } from '../../../test/grants.ts'
import { type Pages, startPages } from '../../../test/pages.ts'
import { openWindow, type Window } from '../../../test/window.ts'
import type { Actor } from '../../access/actor.ts'
import { deriveInvitationKey } from '../../access/grant-invitation.ts'
import { readConfig } from '../../config.ts'

describe('a business’s people', () => {
  const now = { at: new Date('2026-11-23T10:00:00Z') }
  let pages: Pages
  let world: GrantWorld
  let bakery: { partyId: string; mailboxId: string }
  let administrator: Actor
  let arthur: Window
  let rosa: Window
  before(async () => {
    pages = await startPages(now)
    world = buildGrantWorld(pages.post, now.at, deriveInvitationKey(readConfig({ DEMO: 'true' }).secretKey))
    bakery = await world.addBusiness('Example Bakery Ltd')
    await pages.post.owner`
      insert into link (service_id, scheme, value_hash, value_sealed, party_id)
      values (${pages.post.serviceId}, 'link', ${Buffer.from(newId())}, '', ${bakery.partyId})`
    administrator = await world.addAdministrator(bakery, pages.post.arthur)
    arthur = await openWindow(pages, 'arthur')
    rosa = await openWindow(pages, 'rosa')
    await arthur.get('/mailboxes')
    await arthur.submit('/mailboxes/open', { grant: administrator.by.grantId! })
  })
  after(() => pages.stop())

  const codeIn = (html: string) => /<p class="post-code">([^<]+)<\/p>/.exec(html)?.[1] ?? ''
  const add = async (fields: Record<string, string | string[]>) => {
    await arthur.get('/people/add')
    return arthur.submit('/people/add', { extent: 'all', ...fields })
  }
  /** Rosa takes on what is offered, and the business's mailbox is open in her window. */
  const letRosaIn = async (fields: Record<string, string | string[]>): Promise<string> => {
    const address = (await add({ name: 'Rosa', ...fields })).headers.location as string
    const id = address.split('/').at(-1)!
    await rosa.get('/helping')
    await rosa.submitAndFollow('/helping', { code: codeIn((await arthur.get(address)).body) })
    await rosa.submit(`/helping/offers/${id}`, { answer: 'accept' })
    await rosa.get('/mailboxes')
    await rosa.submit('/mailboxes/open', { grant: id })
    return id
  }

  test('its administrator sees who they are, and his rights in the banner', async () => {
    const { body } = await arthur.get('/people')
    assert.match(body, /Example Bakery Ltd’s mailbox<\/strong>, as an employee \(read and write, administrator\)/)
    assert.match(body, /Arthur Sample.*Employee\. Read and write, administrator\. <strong>Active/s)
    assert.match(body, /<a[^>]*href="\/people"[^>]*aria-current="true"/)
    assert.equal((await arthur.get('/helpers')).headers.location, '/people')
  })

  test('an accountant for one sender is added, changed and ended, and out with the next click', async () => {
    const id = await letRosaIn({ kind: 'adviser', role: 'reader', extent: 'some', services: pages.post.serviceId })
    const inbox = await rosa.get('/inbox')
    assert.match(inbox.body, /as an adviser from outside \(read only, Council tax only\)/)
    assert.doesNotMatch(inbox.body, /href="\/people"/)
    assert.equal((await rosa.get('/people')).statusCode, 403)

    const form = await arthur.get(`/people/${id}/change`)
    assert.match(form.body, /value="adviser"[^>]*checked.*value="reader"[^>]*checked.*value="some"[^>]*checked/s)
    const changed = await arthur.submitAndFollow(`/people/${id}/change`, {
      kind: 'adviser',
      role: 'writer',
      extent: 'all',
      'until-day': '3',
      'until-month': '3',
      'until-year': '2027',
    })
    assert.match(changed.body, /Read and write.*All post.*3 March 2027/s)
    assert.match((await arthur.get('/people')).body, /Before.*Rosa Example.*Read only, Council tax only.*Ended/s)
    assert.equal((await rosa.get('/inbox')).statusCode, 403)
    const again = (await pages.post.owner`select id from access_grant where replaces_id = ${id}`)[0]!.id as string
    await rosa.get('/mailboxes')
    await rosa.submit('/mailboxes/open', { grant: again })
    assert.match((await rosa.get('/inbox')).body, /read and write, until 3 March 2027/)
    await arthur.get(`/people/${again}`)
    assert.equal((await arthur.submit(`/people/${again}/end`)).headers.location, '/people')
    assert.equal((await rosa.get('/inbox')).statusCode, 403)
  })

  test('an administrator without post manages people, and nothing else is offered or open', async () => {
    await letRosaIn({ kind: 'employee', role: 'none', isAdministrator: 'yes' })
    assert.equal((await rosa.get('/')).headers.location, '/people')
    const { body } = await rosa.get('/people')
    assert.doesNotMatch(body, /href="\/(inbox|sent|write)"/)
    assert.equal((await rosa.get('/inbox')).statusCode, 403)
    assert.match((await rosa.get('/people/add')).body, /Council tax \(Northfold Council\)/)
  })

  test('nobody changes their own, and the last administrator is told what to do first', async () => {
    const own = `/people/${administrator.by.grantId}`
    assert.doesNotMatch((await arthur.get(own)).body, /\/change"/)
    assert.equal((await arthur.get(`${own}/change`)).statusCode, 404)
    await pages.post.owner`
      update access_grant set ended_at = ${now.at} where giver_id = ${bakery.partyId} and id <> ${administrator.by.grantId!}`
    await arthur.get(own)
    const refused = await arthur.submit(`${own}/end`)
    assert.equal(refused.statusCode, 409)
    assert.match(refused.body, /There is no other administrator of Example Bakery Ltd\. Add another administrator first/)
    await arthur.get(`/helping/${administrator.by.grantId}`)
    const givenUp = await arthur.submit(`/helping/${administrator.by.grantId}/end`)
    assert.match(givenUp.body, /There is no other administrator of Example Bakery Ltd/)
  })

  test('what makes no sense is refused at its field', async () => {
    assert.match((await add({ name: 'A', kind: 'helper', role: 'reader' })).body, /Select who the person is/)
    assert.match((await add({ name: 'A', kind: 'employee', role: 'none' })).body, /must be an administrator/)
    assert.match(
      (await add({ name: 'A', kind: 'adviser', role: 'reader', isAdministrator: 'yes' })).body,
      /An adviser from outside cannot be an administrator/,
    )
  })

  test('one person is in several businesses, and sees them all', async () => {
    await world.addAdministrator(await world.addBusiness('Second Ltd'), pages.post.arthur)
    const { body } = await arthur.get('/mailboxes')
    assert.match(body, /Your own mailbox.*Second Ltd.*Example Bakery Ltd.*Open now/s)
  })

  test('for a lost administrator there is a way, told to everybody', async () => {
    await rosa.submit('/mailboxes/open')
    const { body } = await rosa.get('/people/lost')
    assert.match(body, /ask the registrar of this service.*href="\/contact"/)
    assert.match((await rosa.get('/mailboxes')).body, /href="\/people\/lost"/)
  })
})

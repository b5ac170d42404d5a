import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { buildGrantWorld, type GrantWorld } from '../../../test/grants.ts'
import { type Pages, startPages } from '../../../test/pages.ts'
import { openWindow, type Window } from '../../../test/window.ts'
import { addContactDetail } from '../../alerts/add-contact-detail.ts'
import { contactOptions } from '../../alerts/contact-detail.ts'
import { readConfig } from '../../config.ts'

describe('the page that leads to what is about a mailbox', () => {
  const now = { at: new Date('2026-11-23T10:00:00Z') }
  const all = [
    '/linked-services',
    '/registration',
    '/helpers',
    '/people',
    '/looks',
    '/my-details/download',
    '/to-do/calendar',
    '/helping',
  ]
  let pages: Pages
  let world: GrantWorld
  let arthur: Window
  before(async () => {
    pages = await startPages(now)
    world = buildGrantWorld(pages.post, now.at)
    arthur = await openWindow(pages, 'arthur')
  })
  after(() => pages.stop())

  const open = async (grantId?: string) => {
    await arthur.get('/mailboxes')
    await arthur.submit('/mailboxes/open', grantId === undefined ? {} : { grant: grantId })
  }
  /** What is offered of the mailbox, all of which opens; what is not does not. */
  const readOffers = async () => {
    const { body } = await arthur.get('/my-details')
    const links = [...body.slice(body.indexOf('post-choices'), body.indexOf('</main>')).matchAll(/href="(\/[^"]*)"/g)].map(
      ([, href]) => href!,
    )
    for (const url of all) assert.equal((await arthur.get(url)).statusCode === 200, links.includes(url), url)
    return { body, links }
  }

  test('offers the owner everything that the owner may do, and the navigation leads to it', async () => {
    const { body, links } = await readOffers()
    assert.deepEqual(links, [
      '/linked-services',
      '/registration',
      '/helpers',
      '/looks',
      '/my-details/download',
      '/to-do/calendar',
      '/helping',
    ])
    assert.match(body, /<h2[^>]*>Your mailbox<\/h2>/)
    assert.match((await arthur.get('/inbox')).body, /href="\/my-details"/)
    for (const url of ['/linked-services', '/registration', '/helpers', '/helping', '/looks']) {
      assert.match((await arthur.get(url)).body, /href="\/my-details" aria-current="true"/, url)
    }
  })

  test('offers whoever reads for somebody only who looked, and says whose it is', async () => {
    await open(await world.give(pages.post.rosa, pages.post.arthur))
    const { body, links } = await readOffers()
    assert.deepEqual(links, ['/looks', '/helping'])
    assert.match(body, /<h2[^>]*>The mailbox of Rosa Example<\/h2>/)
    await open()
  })

  test('offers a business’s administrator its people', async () => {
    const bakery = await world.addBusiness('Example Bakery Ltd')
    const { by } = await world.addAdministrator(bakery, pages.post.arthur)
    await open(by.grantId)
    const { links } = await readOffers()
    assert.deepEqual(links, ['/linked-services', '/registration', '/people', '/looks', '/helping'])
    await open()
  })

  test('says about the person who is signed in what is theirs, whichever mailbox is open', async () => {
    const keys = contactOptions(readConfig({ DEMO: 'true' }))
    const { db, owner, rosa } = pages.post
    const detail = { partyId: rosa.partyId, kind: 'email', value: 'rosa@mail.example', language: 'en' } as const
    await addContactDetail(db, keys, detail, now.at)
    await owner`update contact_detail set verified_at = ${now.at} where party_id = ${rosa.partyId}`
    await open(await world.give(rosa, pages.post.arthur))
    const { body } = await arthur.get('/my-details')
    assert.match(body, /This is about you yourself, and not about Rosa Example/)
    assert.match(body, /Arthur Sample/)
    assert.doesNotMatch(body, /mail\.example/)
    assert.doesNotMatch((await arthur.get('/my-details/contact')).body, /mail\.example/)
    await open()
    const rosas = await openWindow(pages, 'rosa')
    assert.match((await rosas.get('/my-details')).body, /rosa@mail\.example/)
  })

  test('is in Welsh for who reads Welsh', async () => {
    const { body } = await arthur.get('/my-details?lang=cy')
    assert.match(body, /<html lang="cy"/)
    assert.match(body, /<h1[^>]*>Fy manylion<\/h1>/)
    assert.match(body, /Gwasanaethau cysylltiedig/)
  })

  test('is for people who are signed in', async () => {
    assert.match(String((await pages.get('nobody', '/my-details')).headers.location), /^\/sign-in/)
  })
})

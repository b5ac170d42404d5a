import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { buildGrantWorld, type GrantWorld } from '../../../test/grants.ts'
import { type Pages, startPages } from '../../../test/pages.ts'
import { openWindow, type Window } from '../../../test/window.ts'

describe('the page that leads to what is about a mailbox', () => {
  const now = { at: new Date('2026-11-23T10:00:00Z') }
  const all = ['/linked-services', '/registration', '/helpers', '/people', '/looks', '/helping']
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
  /** What is offered, all of which opens; what is not does not. */
  const readOffers = async () => {
    const { body } = await arthur.get('/my-details')
    const links = [...body.slice(body.indexOf('<main'), body.indexOf('</main>')).matchAll(/href="(\/[^"]*)"/g)].map(
      ([, href]) => href!,
    )
    for (const url of all) assert.equal((await arthur.get(url)).statusCode === 200, links.includes(url), url)
    return { body, links }
  }

  test('offers the owner everything that the owner may do, and the navigation leads to it', async () => {
    const { body, links } = await readOffers()
    assert.deepEqual(links, ['/linked-services', '/registration', '/helpers', '/looks', '/helping'])
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

  test('is for people who are signed in', async () => {
    assert.match(String((await pages.get('nobody', '/my-details')).headers.location), /^\/sign-in/)
  })
})

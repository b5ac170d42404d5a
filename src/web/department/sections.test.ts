import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { addClerk, signInClerk } from '../../../test/department.ts'
import { type Pages, startPages } from '../../../test/pages.ts'
import type { StaffRole } from '../../access/rights.ts'

describe('where a member of staff begins', () => {
  const now = new Date('2026-11-23T10:00:00Z')
  let pages: Pages
  before(async () => {
    pages = await startPages({ at: now })
  })
  after(() => pages.stop())

  const begin = async (...roles: StaffRole[]) => {
    const held = roles.map((role) => ({ serviceId: pages.post.serviceId, role }))
    const clerk = await signInClerk(pages, await addClerk(pages.post, 'Clerk', held), now)
    const first = await clerk.get('/department')
    const landed = first.statusCode === 303 ? await clerk.get(first.headers.location as string) : first
    const links = [...landed.body.matchAll(/class="govuk-service-navigation__link" href="([^"?]+)"/g)].map(([, href]) => href)
    return {
      status: landed.statusCode,
      links: links.filter((href) => href!.startsWith('/department/') || links.indexOf(href) > 0),
      body: landed.body,
    }
  }

  test('is the inbox for who reads post, with links to what they may do and to nothing else', async () => {
    const { status, links, body } = await begin('post-reader')
    assert.equal(status, 200)
    assert.match(body, /<h1[^>]*>Inbox/)
    assert.ok(!links.includes('/department/write') && !links.includes('/department/systems'))
    assert.ok((await begin('post-writer')).links.includes('/department/write'))
  })

  test('is the first page that they may see for who reads none', async () => {
    const systems = await begin('systems-manager', 'log-reader')
    assert.equal(systems.status, 200)
    assert.match(systems.body, /<h1[^>]*>Systems/)
    assert.deepEqual(systems.links, ['/department/systems', '/department/approvals', '/department/logs'])
    assert.match((await begin('staff-manager')).body, /<h1[^>]*>Staff/)
  })

  test('is a page that says whom to ask, for who has no role', async () => {
    const { status, body } = await begin()
    assert.equal(status, 200)
    assert.match(body, /no role for any service/)
  })
})

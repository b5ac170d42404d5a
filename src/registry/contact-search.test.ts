import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { agencyContacts, northfoldContacts } from '../../demo/contact-points.ts'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { buildPost, type Post } from '../../test/post.ts'
import { rightsOf } from '../access/rights.ts'
import { listOrganisations } from './contact-browse.ts'
import { searchContactPoints } from './contact-search.ts'
import { register } from './register.ts'

const now = new Date('2026-11-23T10:00:00Z')

describe('searching for where to write to', () => {
  let test_: TestDatabase
  let post: Post
  before(async () => {
    test_ = await createTestDatabase()
    post = await buildPost(test_)
    const service = (slug: string, name: string) => ({ slug, name })
    const organisations = [
      {
        slug: 'northfold-council',
        name: 'Northfold Council',
        services: [service('council-tax', 'Council tax'), service('parking', 'Parking'), service('libraries', 'Libraries')],
        contacts: northfoldContacts,
      },
      {
        slug: 'pensions-and-support',
        name: 'Agency for Pensions and Support',
        services: [service('state-pension', 'State pension'), service('carers-support', 'Carer’s support')],
        contacts: agencyContacts,
      },
    ]
    await register(post.owner, post.keys, { organisations }, { scopes: [], demo: false }, now)
  })
  after(() => test_.drop())

  const search = async (text: string, actor = post.rosa) => {
    const { closeness, points } = await searchContactPoints(post.db, actor, text)
    return { closeness, slugs: points.map(({ slug }) => slug) }
  }

  test('finds the right place first, by what people call it', async () => {
    const wanted = {
      'parking fine': 'appeal-a-parking-fine',
      PCN: 'appeal-a-parking-fine',
      'challenge a ticket': 'appeal-a-parking-fine',
      'how do I appeal against my parking fines?': 'appeal-a-parking-fine',
      'moving house': 'moving-home',
      'change of address': 'moving-home',
      'rubbish not collected': 'missed-bin',
      'blue badge': 'parking',
      'library book': 'libraries',
      'late pension': 'pension-payment',
      'carer’s allowance': 'carers-support',
      'northfold parking permit': 'parking',
    }
    for (const [text, slug] of Object.entries(wanted)) assert.equal((await search(text)).slugs[0], slug, text)
  })

  test('finds it by Welsh words, and by the beginning of a word', async () => {
    assert.equal((await search('dirwy barcio')).slugs[0], 'appeal-a-parking-fine')
    assert.equal((await search('llyfrgelloedd')).slugs[0], 'libraries')
    assert.equal((await search('symud tŷ')).slugs[0], 'moving-home')
    assert.equal((await search('librar')).slugs[0], 'libraries')
  })

  test('falls back on some of the words, and then on those that begin alike', async () => {
    const some = await search('parking xylophone')
    assert.equal(some.closeness, 'some')
    assert.ok(some.slugs.includes('appeal-a-parking-fine'))
    const near = await search('libary')
    assert.equal(near.closeness, 'near')
    assert.ok(near.slugs.includes('libraries'))
    assert.deepEqual((await search('xylophone')).slugs, [])
  })

  test('shows nothing that is hidden, closed, or not for this mailbox', async () => {
    assert.ok(!(await search('witness statement parking fine')).slugs.includes('parking-witness-statement'))
    assert.ok(!(await search('business rates')).slugs.includes('business-rates'))
    await post.owner`update party set kind = 'business' where id = ${post.arthur.partyId}`
    assert.equal((await search('business rates', post.arthur)).slugs[0], 'business-rates')
    assert.ok(!(await search('moving house', post.arthur)).slugs.includes('moving-home'))
    await post.owner`update contact_point set active = false where slug = 'libraries'`
    assert.ok(!(await search('library')).slugs.includes('libraries'))
  })

  test('shows who may write for some services only those', async () => {
    const helper = { ...post.rosa, rights: rightsOf('writer', [post.parkingId]) }
    const { slugs } = await search('fine OR tax OR pension', helper)
    assert.deepEqual(slugs, ['appeal-a-parking-fine'])
    assert.deepEqual(
      (await listOrganisations(post.db, helper)).map(({ slug }) => slug),
      ['northfold-council'],
    )
    await assert.rejects(search('parking', { ...post.rosa, rights: rightsOf('reader') }), { code: 'scope-missing' })
  })

  test('takes anything that is typed', async () => {
    for (const text of [
      '',
      '   ',
      "'",
      '!&|():*<->',
      'a & b',
      'the',
      '\u0000\ud800',
      '%',
      'x'.repeat(500),
      '🚗 parking',
      "fine'; drop table",
    ]) {
      await search(text)
    }
    assert.equal((await search('🚗 parking:* & fine')).slugs[0], 'appeal-a-parking-fine')
  })

  test('follows the names of services and groups', async () => {
    const zeppelin = { slug: 'parking', name: 'Parking and zeppelins' }
    const organisations = [{ slug: 'northfold-council', name: 'Northfold Council', services: [zeppelin] }]
    assert.deepEqual((await search('zeppelin')).slugs, [])
    await register(post.owner, post.keys, { organisations }, { scopes: [], demo: false }, now)
    assert.ok((await search('zeppelin')).slugs.includes('parking'))
  })
})

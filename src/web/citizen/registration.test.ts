import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { v7 as newId } from 'uuid'
import { type Pages, type Reader, startPages } from '../../../test/pages.ts'

const now = { at: new Date('2026-11-23T10:00:00Z') }

describe('the page about getting digital post', () => {
  let pages: Pages
  before(async () => {
    pages = await startPages(now)
  })
  after(() => pages.stop())

  /** Presses the button of the form with this action, as a browser does: without files, it sends the fields in the body. */
  const press = async (reader: Reader, url: string, action?: string, change: Record<string, string> = {}) => {
    const cookie = await pages.signIn(reader)
    const headers = { cookie: `${cookie!.name}=${cookie!.value}` }
    const page = await pages.app.inject({ method: 'GET', url, headers })
    const form = action ? page.body.slice(page.body.indexOf(`action="${action}"`)) : page.body.slice(page.body.indexOf('<main'))
    const hidden = [...form.slice(0, form.indexOf('</form>')).matchAll(/type="hidden" name="([^"]+)" value="([^"]*)"/g)]
    const fields = { ...Object.fromEntries(hidden.map(([, name, value]) => [name, value])), ...change }
    return pages.app.inject({
      method: 'POST',
      url: action ?? url,
      headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
      payload: new URLSearchParams(fields as Record<string, string>).toString(),
    })
  }
  const byConsent = (isSo: boolean) =>
    pages.post.owner`update mailbox set by_consent = ${isSo} where party_id = ${pages.post.arthur.partyId}`

  test('says that one gets it; one becomes exempt after reading what that means, and joins again', async () => {
    assert.match((await pages.get('rosa', '/registration')).body, /You get digital post\. Public bodies can write to you here/)
    assert.match((await pages.get('rosa', '/registration/exempt')).body, /You do not have to say why/)
    const exempt = await press('rosa', '/registration/exempt')
    assert.deepEqual([exempt.statusCode, exempt.headers.location], [303, '/registration?done=exempt'])
    const { body } = await pages.get('rosa', '/registration?done=exempt')
    assert.match(body, /You are exempt from digital post now/)
    assert.match(body, /23 November 2026 at 10:00am: Exempt from digital post\. By you\./)
    assert.equal((await pages.get('rosa', '/registration/exempt')).headers.location, '/registration')
    await press('rosa', '/registration/join')
    assert.match((await pages.get('rosa', '/registration')).body, /You get digital post\./)
  })

  test('changes nothing without the form’s token', async () => {
    const answer = await press('rosa', '/registration/exempt', undefined, { csrf: 'guessed' })
    assert.equal(answer.statusCode, 403)
    assert.match((await pages.get('rosa', '/registration')).body, /You get digital post\./)
  })

  test('asks for consent by category where the mailbox is by consent, and shows the words that were agreed to', async () => {
    assert.doesNotMatch((await pages.get('arthur', '/registration')).body, /consent/)
    await byConsent(true)
    const before = await pages.get('arthur', '/registration')
    assert.match(before.body, /have not consented to any digital post yet/)
    const given = await press('arthur', '/registration?language=cy', '/registration/consents/general')
    assert.equal(given.headers.location, '/registration?done=consented')
    const { body } = await pages.get('arthur', '/registration')
    assert.match(body, /You consented on 23 November 2026 at 10:00am/)
    assert.match(body, /<span lang="cy">Rwy’n cytuno/)
    await press('arthur', '/registration', '/registration/consents/general/withdraw')
    assert.match((await pages.get('arthur', '/registration')).body, /What you consented to before/)
    const [consent] = await pages.post.owner`select language, withdrawn_at from consent`
    assert.deepEqual(consent, { language: 'cy', withdrawnAt: now.at })
  })

  test('holds nobody to words that have changed since the page was shown', async () => {
    await byConsent(true)
    const answer = await press('arthur', '/registration', '/registration/consents/general', { wording: 'other' })
    assert.equal(answer.statusCode, 403)
    const withdrawn = await pages.post.owner`select from consent where withdrawn_at is null`
    assert.equal(withdrawn.length, 0)
  })

  test('is the owner’s alone', async () => {
    const { owner, rosa, arthur } = pages.post
    await owner`
      insert into access_grant (id, giver_id, holder_id, kind, role, starts_at, holder_name, offered_at, offered_by_name, accepted_at)
      values (${newId()}, ${rosa.partyId}, ${arthur.partyId}, 'helper', 'writer', ${now.at}, 'Arthur', ${now.at}, 'Rosa', ${now.at})`
    const cookie = await pages.signIn('arthur')
    await owner`
      update session set grant_id = access_grant.id from access_grant
      where access_grant.giver_id = ${rosa.partyId} and session.party_id = ${arthur.partyId}`
    const page = await pages.app.inject({
      method: 'GET',
      url: '/registration',
      headers: { cookie: `${cookie!.name}=${cookie!.value}` },
    })
    assert.equal(page.statusCode, 403)
    assert.match(page.body, /Only the owner can see this/)
    assert.equal((await pages.get('nobody', '/registration')).statusCode, 303)
  })
})

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { buildGrantWorld } from '../../../test/grants.ts'
import { type Pages, startPages } from '../../../test/pages.ts'
import { acceptOne } from '../../delivery/accept.ts'
import { open } from '../../mailbox/open.ts'

describe('the search page', () => {
  const now = { at: new Date('2026-11-23T10:00:00Z') }
  let pages: Pages
  const send = async (reference: string, subject: string, body: string, link = 'CT-1') => {
    const { db, keys, council, letter } = pages.post
    const submission = {
      ...letter(reference),
      subject,
      content: [{ language: 'en', body }],
      recipient: { scheme: 'link', value: link },
    }
    return (await acceptOne(db, keys, council, submission, now.at)).messageId
  }
  before(async () => {
    pages = await startPages(now)
  })
  after(() => pages.stop())

  /** Its words, without the marks of HTML. */
  const textOf = (body: string) => body.replace(/<[^>]+>/g, '').replace(/\s+/g, ' ')

  test('shows what was found, the words of opened letters only, and what is asked for as text', async () => {
    const opened = await send('one', 'About your <b>marmalade</b>', 'We have taken your marmalade & your jam, as we said.')
    await send('two', 'A second letter', 'The marmalade is secret until this is opened.')
    await open(pages.post.db, pages.post.rosa, opened, now.at)
    const { body, statusCode } = await pages.get('rosa', '/search?q=Marmalade+%3Cscript%3E')
    assert.equal(statusCode, 200)
    assert.ok(!body.includes('<script>'))
    const found = (await pages.get('rosa', '/search?q=marmalade')).body
    assert.match(textOf(found), /2 letters found/)
    assert.match(found, /About your &lt;b&gt;<mark class="post-found">marmalade<\/mark>&lt;\/b&gt;/)
    assert.match(found, /taken your <mark class="post-found">marmalade<\/mark> &amp; your jam/)
    assert.ok(!found.includes('secret until'), 'an unopened letter keeps its words')
    assert.match(textOf((await pages.get('rosa', '/search?q=marmelade')).body), /nothing for “marmelade”.*results for marmalade/)
    assert.match(textOf((await pages.get('rosa', '/search?q=marmalade&lang=cy')).body), /2 lythyr wedi’u canfod/)
    assert.match(textOf((await pages.get('arthur', '/search?q=marmalade')).body), /Nothing found/)
  })

  test('takes anything that is typed, and says what it does not understand', async () => {
    for (const q of [
      '%',
      '"',
      '-a',
      'a:*',
      '\\',
      '((',
      "' or 1=1 --",
      '\u0000',
      '💛',
      'x'.repeat(10_000),
      'word '.repeat(2_000),
    ]) {
      const { statusCode } = await pages.get('rosa', `/search?q=${encodeURIComponent(q).slice(0, 12_000)}`)
      assert.equal(statusCode, 200, q.slice(0, 20))
    }
    // In an address each of these is six signs, and an address is not endless: no box takes more than fits.
    assert.equal((await pages.get('rosa', `/search?q=${encodeURIComponent('ŷ'.repeat(1_000))}`)).statusCode, 200)
    for (const url of ['/search', '/inbox', '/write']) {
      const boxes = (await pages.get('rosa', url)).body.match(/<input[^>]*type="search"[^>]*>/g)
      assert.ok(boxes && boxes.length > 0, url)
      for (const box of boxes) assert.ok(Number(/maxlength="(\d+)"/.exec(box)?.[1]) <= 1_000, `${url} ${box}`)
    }
    const { body } = await pages.get('rosa', `/search?q=${'council+'.repeat(1_250)}`)
    assert.match(body, /too much to search for at once/)
    const wrong = await pages.get('rosa', '/search?q=jam&from=31%2F2%2F2026&until=soon')
    assert.equal(wrong.statusCode, 422)
    assert.match(wrong.body, /value="31\/2\/2026"/)
    assert.match(wrong.body, /id="until-error"/)
    for (const day of ['23/11/2026', '23 Nov 2026', '2026-11-23', '23 Tachwedd 2026']) {
      const asked = new URLSearchParams({ q: 'marmalade', from: day, until: day })
      assert.match(textOf((await pages.get('rosa', `/search?${asked}`)).body), /2 letters found/, day)
    }
    assert.equal((await pages.get('rosa', '/search?q=jam&from=2%2F1%2F2026&until=1%2F1%2F2026')).statusCode, 422)
    assert.equal((await pages.get('rosa', '/search?q=jam&folder=nonsense&sender=nobody&mailbox=x')).statusCode, 200)
  })

  test('keeps searches under a name, for whoever saved them', async () => {
    const cookie = await pages.signIn('rosa')
    const headers = { cookie: `${cookie!.name}=${cookie!.value}` }
    const page = await pages.app.inject({ url: '/search?q=marmalade&unread=yes', headers })
    const [, csrf] = /name="csrf" value="([^"]+)"/.exec(page.body)!
    const post = (url: string, fields: Record<string, string>) =>
      pages.app.inject({
        method: 'POST',
        url,
        headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
        payload: new URLSearchParams({ csrf: csrf!, ...fields }).toString(),
      })
    const empty = await post('/searches', { q: 'marmalade', name: '  ' })
    assert.deepEqual([empty.statusCode, /Enter a name/.test(empty.body)], [422, true])
    assert.equal((await post('/searches', { q: 'marmalade', name: 'x'.repeat(61) })).statusCode, 422)
    const saved = await post('/searches', { q: 'marmalade', unread: 'yes', name: 'Jam <3' })
    assert.deepEqual([saved.statusCode, saved.headers.location], [303, '/search?q=marmalade&unread=yes'])
    const shown = (await pages.app.inject({ url: '/search', headers })).body
    assert.match(shown, /href="\/search\?q=marmalade&amp;unread=yes">Jam &lt;3<\/a>/)
    assert.ok(!(await pages.get('arthur', '/search')).body.includes('Jam'))
    const [, id] = /\/searches\/([0-9a-f-]{36})\/delete/.exec(shown)!
    const arthur = await pages.signIn('arthur')
    const others = { cookie: `${arthur!.name}=${arthur!.value}`, 'content-type': 'application/x-www-form-urlencoded' }
    const [, theirs] = /name="csrf" value="([^"]+)"/.exec((await pages.app.inject({ url: '/search', headers: others })).body)!
    await pages.app.inject({ method: 'POST', url: `/searches/${id}/delete`, headers: others, payload: `csrf=${theirs}` })
    assert.match((await pages.app.inject({ url: '/search', headers })).body, /Jam/, 'nobody else removes it')
    await post(`/searches/${id}/delete`, {})
    assert.ok(!(await pages.app.inject({ url: '/search', headers })).body.includes('Jam'))
    for (let n = 0; n < 50; n += 1) assert.equal((await post('/searches', { q: 'a', name: `Search ${n}` })).statusCode, 303)
    const tooMany = await post('/searches', { q: 'a', name: 'One more' })
    assert.deepEqual([tooMany.statusCode, /as many searches as you can/.test(tooMany.body)], [422, true])
  })

  test('looks in all mailboxes that one may read, says whose each letter is, and opens it there; the owner sees that', async () => {
    const { rosa, arthur, owner } = pages.post
    const world = buildGrantWorld(pages.post, now.at)
    const mine = await send('three', 'Of Arthur', 'A marmalade of one’s own.', 'CT-2')
    await world.give(rosa, arthur)
    const found = textOf((await pages.get('arthur', '/search?q=marmalade&mailbox=all')).body)
    assert.match(found, /3 letters found/)
    assert.match(found, /Rosa Example’s mailbox/)
    assert.match(found, /Arthur Sample’s mailbox/)
    assert.match(textOf((await pages.get('arthur', '/search?q=marmalade')).body), /1 letter found/)
    await send('four', 'To Rosa', 'Wojcechowska, written so.')
    await send('five', 'To Arthur', 'Wojciechowska, written right.', 'CT-2')
    const right = textOf((await pages.get('arthur', '/search?q=wojciechowska&mailbox=all')).body)
    assert.match(right, /1 letter found/, 'what one mailbox has is not mended in another')
    const looks = await owner<
      { what: string; byName: string }[]
    >`select what, by_name from look where party_id = ${rosa.partyId} and what = 'searched'`
    assert.deepEqual(looks[0], { what: 'searched', byName: 'Arthur Sample' })

    const cookie = await pages.signIn('arthur')
    const headers = { cookie: `${cookie!.name}=${cookie!.value}` }
    const page = (await pages.app.inject({ url: '/search?q=marmalade&mailbox=all', headers })).body
    const form = page.split('<form method="post" action="/search/open">')[1]!.split('</form>')[0]!
    const fields = new URLSearchParams(
      [...form.matchAll(/name="([^"]+)" value="([^"]*)"/g)].map(([, name, value]): [string, string] => [name!, value!]),
    )
    const opened = await pages.app.inject({
      method: 'POST',
      url: '/search/open',
      headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
      payload: fields.toString(),
    })
    assert.equal(opened.headers.location, `/letters/${fields.get('letter')}`)
    assert.notEqual(fields.get('letter'), mine)
    assert.equal((await pages.app.inject({ url: opened.headers.location, headers })).statusCode, 200)
    const there = textOf((await pages.app.inject({ url: '/search?q=marmalade', headers })).body)
    assert.match(there, /2 letters found/)
    assert.match(there, /In Rosa Example’s mailbox/)
  })

  test('finds what was sent and what is being written too, each by a link to where it is; a choice limits it to one, and can be taken off', async () => {
    const write = '/write/northfold-council/council-tax'
    const came = await send('six', 'Your gooseberry', 'About a gooseberry.')
    const sent = (await pages.submit('rosa', write, { subject: 'A gooseberry', text: 'Mine & yours: a gooseberry.' })).headers
    const sentId = /\/sent\/([^/]+)/.exec(String(sent.location))![1]
    await pages.submit('rosa', write, { subject: '', text: 'One gooseberry to come', action: 'save' })
    const address = '/search?q=gooseberry'
    const { body } = await pages.get('rosa', address)
    assert.match(textOf(body), /3 letters found/)
    const [draftId] = /(?<=href="\/drafts\/)[^"]+/.exec(body)!
    for (const href of [`/letters/${came}`, `/sent/${sentId}`, `/drafts/${draftId}`]) {
      assert.ok(body.includes(`href="${href}"`), href)
      assert.equal((await pages.get('rosa', href)).statusCode, 200)
    }
    const found = async (where: string) => textOf((await pages.get('rosa', `${address}&where=${where}`)).body)
    assert.match(
      await found('sent'),
      /1 letter found To Northfold Council ?Council tax A gooseberry Sent.*Mine &amp; yours: a gooseberry/,
    )
    assert.match(
      await found('drafts'),
      /1 letter found To Northfold Council ?Council tax No subject yet Draft Changed on 23 November.*One gooseberry to come/,
    )
    assert.match(await found('received'), /1 letter found Northfold Council ?Council tax Your gooseberry/)
    assert.match(await found('nonsense'), /3 letters found/)
    const nothing = (await pages.get('rosa', '/search?q=zeppelin&where=sent')).body
    assert.match(textOf(nothing), /“zeppelin” in letters that you have sent/)
    assert.match(nothing, /href="\/search\?q=zeppelin">Search everywhere/)
    const wrong = await pages.get('rosa', `${address}&where=sent&unread=yes`)
    assert.deepEqual([wrong.statusCode, /id="where-error"/.test(wrong.body)], [422, true])
    assert.match(await found('sent&lang=cy'), /1 llythyr wedi’i ganfod At Northfold Council.*Wedi’i anfon/)
  })

  test('keeps where was searched with a search that is saved', async () => {
    const cookie = await pages.signIn('rosa')
    const headers = { cookie: `${cookie!.name}=${cookie!.value}` }
    const { body } = await pages.app.inject({ url: '/search?q=gooseberry&where=sent', headers })
    const form = body.split('<form method="post" action="/searches">')[1]!.split('</form>')[0]!
    const fields = new URLSearchParams(
      [...form.matchAll(/type="hidden" name="([^"]+)" value="([^"]*)"/g)].map(([, name, value]): [string, string] => [
        name!,
        value!,
      ]),
    )
    // She has as many as she can: one of that name takes its place.
    fields.set('name', 'Search 0')
    await pages.app.inject({
      method: 'POST',
      url: '/searches',
      headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
      payload: fields.toString(),
    })
    const shown = (await pages.app.inject({ url: '/search', headers })).body
    assert.match(shown, /href="\/search\?q=gooseberry&amp;where=sent">Search 0<\/a>/)
  })

  test('says whose a sent letter is to who may read several mailboxes, and opens it there; to who may read alone shows no draft', async () => {
    const cookie = await pages.signIn('arthur')
    const headers = { cookie: `${cookie!.name}=${cookie!.value}` }
    const { body } = await pages.app.inject({ url: '/search?q=gooseberry&mailbox=all', headers })
    assert.match(textOf(body), /2 letters found/)
    const alone = await pages.app.inject({ url: '/search?q=gooseberry&mailbox=all&where=sent', headers })
    assert.match(textOf(alone.body), /To Northfold Council.*Rosa Example’s mailbox/)
    const form = alone.body.split('<form method="post" action="/search/open">')[1]!.split('</form>')[0]!
    const fields = new URLSearchParams(
      [...form.matchAll(/name="([^"]+)" value="([^"]*)"/g)].map(([, name, value]): [string, string] => [name!, value!]),
    )
    const ask = (payload: URLSearchParams) =>
      pages.app.inject({
        method: 'POST',
        url: '/search/open',
        headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
        payload: payload.toString(),
      })
    const opened = await ask(fields)
    assert.equal(opened.headers.location, `/sent/${fields.get('letter')}`)
    assert.match((await pages.app.inject({ url: opened.headers.location, headers })).body, /A gooseberry/)
    fields.set('place', '/elsewhere')
    assert.equal((await ask(fields)).statusCode, 404)
  })
})

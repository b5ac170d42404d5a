import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { v7 as newId } from 'uuid'
import { type Pages, type Reader, startPages } from '../../../test/pages.ts'
import { acceptOne } from '../../delivery/accept.ts'

type Fields = Record<string, string>
const unescaped = (html: string) =>
  html.replace(
    /&#39;|&quot;|&lt;|&gt;|&amp;/g,
    (each) => ({ '&#39;': "'", '&quot;': '"', '&lt;': '<', '&gt;': '>', '&amp;': '&' })[each]!,
  )

describe('the registrar’s pages', () => {
  const now = { at: new Date('2026-11-23T10:00:00Z') }
  const why = { reason: 'A letter, reference 2026-114' }
  const born = (date: string): Fields => {
    const [year, month, day] = date.split('-')
    return { 'birthDate-day': day!, 'birthDate-month': month!, 'birthDate-year': year! }
  }
  const rosa = { by: 'person', name: 'Rosa Example', ...born('1984-05-17') }
  const arthur = { name: 'Arthur Sample', ...born('1964-09-08') }
  const pdf = () => new File(['%PDF-1.4\n1 0 obj <<>> endobj\ntrailer <<>>\n%%EOF'], 'order.pdf')
  let pages: Pages
  before(async () => {
    pages = await startPages(now)
    const { owner, rosa, arthur, db, keys, council, letter } = pages.post
    await owner`update party set birth_date = '1984-05-17' where id = ${rosa.partyId}`
    await owner`update party set birth_date = '1964-09-08' where id = ${arthur.partyId}`
    await acceptOne(db, keys, council, { ...letter('secret'), subject: 'A secret subject' }, now.at)
  })
  beforeEach(() => {
    now.at = new Date(now.at.getTime() + 1_000)
  })
  after(() => pages.stop())

  const search = ({ by, ...fields }: Fields, reader: Reader = 'registrar') =>
    pages.submit(reader, { business: '/registrar/businesses', identifier: '/registrar/numbers' }[by!] ?? '/registrar', fields)
  const locationOf = (answer: { headers: Record<string, unknown> }) => String(answer.headers.location)
  /** The address of a viewing that was begun now. */
  const view = async (fields: Fields, reader: Reader = 'registrar', place = '0') => {
    const results = locationOf(await search({ ...why, ...fields }, reader))
    return locationOf(await pages.submit(reader, results, { place }))
  }
  const looksAt = async (partyId: string) =>
    pages.post.owner<{ what: string; byName: string; reason: string }[]>`
      select what, by_name, reason from look where party_id = ${partyId} and by_kind = 'registrar' order by at desc, id desc`
  /** What the check page sends again. */
  const hiddenOf = (body: string): Fields =>
    Object.fromEntries(
      [...body.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)].map(([, name, value]) => [
        name!,
        unescaped(value!),
      ]),
    )
  /** A form, and then its check page. */
  const twice = async (reader: Reader, address: string, fields: Fields, files: File[] = []) => {
    const check = await pages.submit(reader, address, fields)
    assert.equal(check.statusCode, 200, check.body)
    const { csrf: _, ...hidden } = hiddenOf(check.body)
    return { check: check.body, done: await pages.submit(reader, address, hidden, files) }
  }
  const registrationOf = async (partyId: string) => {
    const [row] = await pages.post.owner`select registration from mailbox where party_id = ${partyId}`
    return row!.registration
  }

  test('are for registrars, and a person’s and a department’s pages are not', async () => {
    for (const reader of ['rosa', 'staff', 'nobody'] as const) {
      assert.match(locationOf(await pages.get(reader, '/registrar')), /^\/registrar\/sign-in/)
    }
    assert.match(locationOf(await pages.get('registrar', '/inbox')), /^\/sign-in/)
    assert.match(locationOf(await pages.get('registrar', '/department')), /^\/department\/sign-in/)
  })

  test('nobody is looked for without a reason, by half a name or without a birth date', async () => {
    assert.match((await search(rosa)).body, /href="#reason">Enter why/)
    assert.match((await search({ ...why, by: 'person', name: 'Rosa Example' })).body, /href="#birthDate">Enter the birth date/)
    assert.match((await search({ ...why, by: 'person', name: '', ...born('1984-05-17') })).body, /Enter the full name/)
    assert.equal((await looksAt(pages.post.rosa.partyId)).length, 0)
    for (const name of ['Rosa', 'Rosa E', '%', 'Rosa%'])
      assert.match((await search({ ...why, ...rosa, name })).body, /Nobody of this name and birth date/)
    assert.equal((await looksAt(pages.post.rosa.partyId)).length, 0)
  })

  test('a record is opened with the reason of the search, and its owner is told of both; no address says whose it is', async () => {
    const results = locationOf(await search({ ...why, ...rosa, name: ' rosa   EXAMPLE ' }))
    assert.match(results, /^\/registrar\/searches\/[0-9a-f-]{36}$/)
    const shown = await pages.get('registrar', results)
    assert.match(shown.body, /1 record found.*Rosa Example.*17 May 1984/s)
    const address = locationOf(await pages.submit('registrar', results, { place: '0' }))
    assert.match(address, /^\/registrar\/records\/[0-9a-f-]{36}$/)
    assert.doesNotMatch(address + results, new RegExp(pages.post.rosa.partyId))
    const [viewed, found] = await looksAt(pages.post.rosa.partyId)
    assert.deepEqual({ ...viewed }, { what: 'record-viewed', byName: 'Bo Dummyname', reason: why.reason })
    assert.deepEqual({ ...found }, { what: 'looked-up', byName: 'Bo Dummyname', reason: why.reason })
  })

  test('a record says who it is, how they can be reached and which services are linked, and nothing of post or numbers', async () => {
    const { body } = await pages.get('registrar', await view(rosa))
    assert.match(body, /Rosa Example.*17 May 1984.*Can be reached/s)
    assert.match(body, /Council tax, Northfold Council, since/)
    assert.match(body, /2026-114/)
    for (const hidden of ['A secret subject', 'CT-1<', pages.post.rosa.partyId]) assert.ok(!body.includes(hidden), hidden)
  })

  test('a viewing is over after half an hour, and is never another registrar’s', async () => {
    const address = await view(rosa)
    const other = await pages.get('registrar-2', address)
    assert.equal(other.statusCode, 404)
    assert.doesNotMatch(other.body, /Rosa Example/)
    const before = now.at
    now.at = new Date(before.getTime() + 29 * 60_000)
    assert.equal((await pages.get('registrar', address)).statusCode, 200)
    now.at = new Date(before.getTime() + 30 * 60_000)
    const over = await pages.get('registrar', address)
    assert.deepEqual([over.statusCode, /Rosa Example/.test(over.body)], [404, false])
    assert.equal((await pages.submit('registrar', `${address}/registration/exempt`, { ...why, step: 'do' })).statusCode, 404)
    assert.equal(await registrationOf(pages.post.rosa.partyId), 'registered')
  })

  test('a registrar exempts somebody who asks, and lets them join again, with a look at it before', async () => {
    const { partyId } = pages.post.rosa
    const address = await view(rosa)
    const { check, done } = await twice('registrar', `${address}/registration/exempt`, why)
    assert.match(check, /Exempt Rosa Example from digital post\?.*2026-114/s)
    assert.equal(await registrationOf(partyId), 'exempt')
    const { body } = await pages.get('registrar', locationOf(done))
    assert.match(body, /This record is exempt now/)
    assert.match(body, /Exempt<\/strong>, by Bo Dummyname.*2026-114/s)
    assert.equal((await looksAt(partyId))[0]!.what, 'registration-changed')
    assert.equal((await pages.get('registrar', `${address}/registration/exempt`)).statusCode, 404)
    assert.match((await pages.submit('registrar', `${address}/registration/join`, {})).body, /href="#reason">Enter why/)
    await twice('registrar', `${address}/registration/join`, why)
    assert.equal(await registrationOf(partyId), 'registered')
  })

  test('the first step of a form changes nothing', async () => {
    const check = await pages.submit('registrar', `${await view(rosa)}/registration/exempt`, why)
    assert.match(check.body, /Exempt Rosa Example from digital post\?/)
    assert.equal(await registrationOf(pages.post.rosa.partyId), 'registered')
  })

  test('closing after a death asks for its day, keeps what was typed, and can be undone when it was an error', async () => {
    const person = await pages.post.addPerson('CT-7')
    await pages.post.owner`update party set birth_date = '1950-01-02' where id = ${person.partyId}`
    const address = await view({ by: 'person', name: 'Person CT-7', ...born('1950-01-02') })
    const close = `${address}/registration/close`
    assert.match((await pages.submit('registrar', close, { ...why, why: 'death' })).body, /href="#on">Enter on which day/)
    assert.match((await pages.submit('registrar', close, why)).body, /href="#why">Choose why/)
    const day = { 'on-day': '20', 'on-month': '11', 'on-year': '2026' }
    const { done } = await twice('registrar', close, { ...why, ...day, why: 'death' })
    assert.equal(await registrationOf(person.partyId), 'closed')
    const { body } = await pages.get('registrar', locationOf(done))
    assert.match(body, /Closed<\/strong>, by Bo Dummyname.*Death\. On 20 November 2026\. A letter, reference 2026-114/s)
    const enter = await pages.get('registrar', `${address}/grants/new`)
    assert.deepEqual(
      [...enter.body.matchAll(/type="radio" value="([^"]+)"/g)].map(([, value]) => value),
      ['executor', 'insolvency-practitioner', 'reader'],
      'what cannot be entered for a closed mailbox is not offered',
    )
    await twice('registrar', `${address}/registration/open`, why)
    assert.equal(await registrationOf(person.partyId), 'registered')
  })

  test('access by law is entered with a document and an end, for a person found by name and birth date', async () => {
    const address = await view(rosa)
    const form = { ...why, ...arthur, kind: 'guardian', role: 'reader', 'end-day': '31', 'end-month': '12', 'end-year': '2027' }
    const enter = `${address}/grants/new`
    const all = (await pages.submit('registrar', enter, {})).body
    assert.deepEqual(
      [...all.matchAll(/<a href="#([^"]+)">/g)].map(([, field]) => field),
      ['kind', 'name', 'birthDate', 'role', 'end', 'reason'],
      'all that is missing is said at once',
    )
    for (const [wrong, expected] of [
      [{ kind: '' }, /Choose what the access is/],
      [{ 'end-year': '' }, /Enter a real date/],
      [{ 'end-year': '2025' }, /must be today or later/],
      [{ 'birthDate-year': '1965' }, /Nobody of this name and birth date/],
      [{ reason: '' }, /Enter why/],
    ] as [Fields, RegExp][])
      assert.match((await pages.submit('registrar', enter, { ...form, ...wrong })).body, expected)
    const without = await twice('registrar', enter, form)
    assert.match(without.check, /Let Arthur Sample into the mailbox of Rosa Example\?/)
    assert.match(without.done.body, /href="#files">Choose the document/)
    assert.match((await twice('registrar', enter, form, [new File(['x'], 'note.txt')])).done.body, /must be a PDF, JPG or PNG/)
    assert.match((await twice('registrar', enter, form, [new File(['x'], 'order.pdf')])).done.body, /is damaged/)
    assert.equal((await pages.post.owner`select from access_grant`).length, 0)
    const { done } = await twice('registrar', enter, form, [pdf()])
    const { body } = await pages.get('registrar', locationOf(done))
    assert.match(body, /Arthur Sample.*Guardian or deputy\. Reads\. Until 31 December 2027/s)
    const document = /href="([^"]+\/document)"/.exec(body)![1]!
    const file = await pages.get('registrar', document)
    assert.deepEqual([file.headers['content-type'], file.body.slice(0, 8)], ['application/pdf', '%PDF-1.4'])
    assert.equal((await pages.get('registrar-2', document)).statusCode, 404)
    assert.deepEqual((await looksAt(pages.post.arthur.partyId))[0]!.what, 'looked-up')
  })

  test('access is ended with a reason', async () => {
    const address = await view(rosa)
    const end = /href="([^"]+\/end)"/.exec((await pages.get('registrar', address)).body)![1]!
    assert.match((await pages.submit('registrar', end, {})).body, /href="#reason">Enter why/)
    const done = await pages.submit('registrar', end, why)
    assert.match((await pages.get('registrar', locationOf(done))).body, /Ended on 23 November 2026 by Bo Dummyname/)
    const [grant] = await pages.post.owner`select ended_at, end_reason from access_grant`
    assert.deepEqual([grant!.endedAt, grant!.endReason], [now.at, why.reason])
  })

  test('a grant of somebody else’s record is not ended, nor its document shown, from this one', async () => {
    const { owner, rosa: giver, arthur: holder } = pages.post
    const grantId = newId()
    await owner`
      insert into access_grant (id, giver_id, holder_id, kind, role, starts_at, holder_name, offered_at, offered_by_name, accepted_at)
      values (${grantId}, ${giver.partyId}, ${holder.partyId}, 'helper', 'reader', ${now.at}, 'Arthur Sample', ${now.at}, 'Rosa', ${now.at})`
    await owner`
      insert into grant_document (party_id, grant_id, filename, media_type, bytes)
      values (${giver.partyId}, ${grantId}, 'a.pdf', 'application/pdf', 'x')`
    const third = await view({ by: 'person', name: 'Person CT-7', ...born('1950-01-02') })
    for (const what of ['end', 'document']) {
      assert.equal(
        (await pages.get('registrar', `${await view({ by: 'person', ...arthur })}/grants/${grantId}/${what}`)).statusCode,
        200,
      )
      assert.equal((await pages.get('registrar', `${third}/grants/${grantId}/${what}`)).statusCode, 404)
    }
    await owner`delete from grant_document`
    await owner`delete from access_grant where id = ${grantId}`
  })

  test('a business is registered by a number that is right and new, with its first administrator, and its days of grace', async () => {
    const form = { ...why, ...rosa, businessName: 'Example Bakery Ltd', companyNumber: '1234567' }
    const fresh = '/registrar/businesses/new'
    assert.match(
      (await pages.submit('registrar', fresh, { ...form, companyNumber: 'X1' })).body,
      /href="#companyNumber">This does not have the form/,
    )
    const { check, done } = await twice('registrar', fresh, form)
    assert.match(check, /Register Example Bakery Ltd\?.*First administrator.*Rosa Example/s)
    const { body } = await pages.get('registrar', locationOf(done))
    assert.match(body, /Example Bakery Ltd.*Can be reached from.*5 December 2026.*Known by.*Company number/s)
    assert.match(body, /Rosa Example.*Employee\. Reads and writes, and manages people/s)
    assert.doesNotMatch(body, /1234567/)
    const again = await twice('registrar', fresh, { ...form, businessName: 'Other Ltd', companyNumber: '01234567' })
    assert.match(again.done.body, /A business with this number is registered already/)
    assert.equal((await pages.post.owner`select from party where kind = 'business'`).length, 1)
    for (const known of [
      { by: 'identifier', scheme: 'company-number', value: '01234567' },
      { by: 'business', businessName: 'example bakery ltd' },
    ] as Fields[])
      assert.match((await pages.get('registrar', await view(known))).body, /Example Bakery Ltd/)
    assert.match((await search({ ...why, by: 'business', businessName: 'Example' })).body, /No business of this name/)
    const number = { ...why, by: 'identifier', scheme: 'company-number', value: '01234568' }
    assert.match((await search(number)).body, /Nobody is known here by this number/)
    assert.match((await search({ ...number, scheme: 'link' })).body, /href="#scheme">Choose what number it is/)
    assert.match((await search({ ...number, value: 'X1' })).body, /href="#value">This does not have the form/)
  })

  test('a business that has lost its administrator gets a new one', async () => {
    const address = await view({ by: 'business', businessName: 'Example Bakery Ltd' })
    const { check, done } = await twice('registrar', `${address}/administrator`, { ...why, ...arthur, role: 'none' })
    assert.match(check, /Make Arthur Sample an administrator of Example Bakery Ltd\?/)
    assert.match((await pages.get('registrar', locationOf(done))).body, /Arthur Sample.*Manages people, reads no post/s)
    assert.equal((await pages.get('registrar', `${await view(rosa)}/administrator`)).statusCode, 404)
  })

  test('two records of one person are merged by two registrars, and never by one', async () => {
    const { owner } = pages.post
    const [second, mailboxId] = [newId(), newId()]
    await owner`insert into party (id, kind, name, birth_date) values (${second}, 'person', 'Rosa Example', '1984-05-17')`
    await owner`insert into mailbox (id, party_id) values (${mailboxId}, ${second})`
    const address = await view(rosa, 'registrar', '0')
    const ask = `${address}/merge`
    const other = /name="other" type="radio" value="([^"]+)"/.exec((await pages.get('registrar', ask)).body)![1]!
    assert.match((await pages.submit('registrar', ask, { ...why, other: newId() })).body, /href="#other">Choose the other record/)
    await twice('registrar', ask, { ...why, other })
    assert.match((await twice('registrar', ask, { ...why, other })).done.body, /has asked for one of these records/)
    const waiting = /href="(\/registrar\/merges\/[^"]+)"/.exec((await pages.get('registrar', '/registrar/merges')).body)![1]!
    assert.doesNotMatch((await pages.get('registrar', waiting)).body, /value="merged"/)
    assert.match(
      (await pages.submit('registrar', waiting, { ...why, decision: 'merged' })).body,
      /href="#decision">Choose what to do/,
    )
    assert.equal(await registrationOf(other), 'registered')
    assert.match((await pages.submit('registrar-2', waiting, { decision: 'merged' })).body, /href="#reason">Enter why/)
    assert.equal((await pages.submit('registrar-2', waiting, { ...why, decision: 'merged' })).statusCode, 303)
    assert.equal(await registrationOf(other), 'closed')
    assert.equal((await pages.submit('registrar-2', waiting, { ...why, decision: 'merged' })).statusCode, 404)
    assert.match((await pages.get('registrar', locationOf(await search({ ...why, ...rosa })))).body, /1 record found/)
  })

  test('the log has what every registrar searched for, looked at and did, and why', async () => {
    const { body } = await pages.get('registrar-2', '/registrar/log')
    for (const words of [
      /Bo Dummyname<\/strong>: Searched for a person by name and birth date: 1 record found/,
      /Bo Dummyname<\/strong>: Searched for a business by name: 0 records found/,
      /Bo Dummyname<\/strong>: Looked at the record<\/p>\s*<p class="post-looks__where">Record of Rosa Example/,
      /Bo Dummyname<\/strong>: Made exempt<\/p>[^<]*<p[^>]*>Record of Rosa Example/,
      /Bo Dummyname<\/strong>: Asked for two records to be merged<\/p>[^<]*<p[^>]*>Record of Rosa Example/,
      /Cy Dummyname<\/strong>: Merged two records<\/p>[^<]*<p[^>]*>Record of Rosa Example/,
      /Why: A letter, reference 2026-114/,
    ]) {
      const second = (await pages.get('registrar-2', '/registrar/log?page=2')).body
      assert.match(body + second, words)
    }
    assert.equal((await pages.get('registrar', '/registrar/log?page=9')).statusCode, 404)
    assert.doesNotMatch(body, /1234567/)
  })

  test('speak Welsh to whoever chose it, in lists and errors and of what was done, and what is written down stays as it is', async () => {
    const { owner } = pages.post
    const inWelsh = (address: string) => `${address}${address.includes('?') ? '&' : '?'}lang=cy`
    const address = await view(rosa)
    const enter = inWelsh(`${address}/grants/new`)
    const form = { ...why, ...arthur, kind: 'attorney', role: 'writer', 'end-day': '31', 'end-month': '12', 'end-year': '2027' }
    const nobody = await pages.submit('registrar', enter, { ...form, 'birthDate-year': '1965' })
    assert.match(nobody.body, /href="#name">Nid oes gan neb â’r enw a’r dyddiad geni hyn/)
    const { check, done } = await twice('registrar', enter, form, [pdf()])
    assert.match(check, /<html lang="cy".*Rhoi mynediad i flwch post Rosa Example i Arthur Sample\?.*31 Rhagfyr 2027/s)
    const { body } = await pages.get('registrar', inWelsh(locationOf(done)))
    assert.match(body, /Llwyddiant.*Mae’r mynediad wedi dechrau/s)
    assert.match(body, /Arthur Sample.*Atwrnai\. Yn darllen ac yn ysgrifennu\. Tan 31 Rhagfyr 2027/s)

    const person = await pages.post.addPerson('CT-8')
    await owner`update party set birth_date = '1950-01-03' where id = ${person.partyId}`
    const theirs = await view({ by: 'person', name: 'Person CT-8', ...born('1950-01-03') })
    const day = { 'on-day': '20', 'on-month': '11', 'on-year': '2026' }
    await twice('registrar', inWelsh(`${theirs}/registration/close`), { ...why, ...day, why: 'death' })
    const closed = (await pages.get('registrar', inWelsh(theirs))).body
    assert.match(closed, /Wedi’i gau<\/strong>, gan Bo Dummyname.*Marwolaeth\. On 20 November 2026\. A letter, reference/s)

    const number = { ...why, scheme: 'company-number', value: 'X1' }
    const wrong = await pages.submit('registrar', inWelsh('/registrar/numbers'), number)
    assert.match(wrong.body, /href="#value">Nid yw’r rhif hwn yn y fformat cywir \(Rhif cwmni\)/)
    const log = (await pages.get('registrar', inWelsh('/registrar/log'))).body
    assert.match(log, /Chwiliodd am berson yn ôl enw a dyddiad geni: 1 cofnod wedi’i ganfod/)
    assert.match(log, /Caeodd y blwch post<\/p>\s*<p[^>]*>Cofnod Person CT-8.*Pam: On 20 November 2026/s)
  })

  test('a form that is not ours is refused', async () => {
    const answer = await pages.submit('registrar', '/registrar', { ...why, ...rosa, csrf: 'forged' })
    assert.equal(answer.statusCode, 403)
  })

  test('a registrar who is switched off is signed out', async () => {
    const cookie = await pages.signIn('registrar-2')
    const get = () =>
      pages.app.inject({ method: 'GET', url: '/registrar', headers: { cookie: `${cookie!.name}=${cookie!.value}` } })
    assert.equal((await get()).statusCode, 200)
    await pages.post.owner`update registrar set is_active = false where subject = 'registrar-2'`
    assert.equal((await get()).statusCode, 303)
  })
})

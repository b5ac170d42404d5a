import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { v7 as newId } from 'uuid'
import { buildGrantWorld } from '../../../test/grants.ts'
import { type Pages, startPages } from '../../../test/pages.ts'
import { deriveInvitationKey } from '../../access/grant-invitation.ts'
import type { Offer } from '../../access/offer-grant.ts'
import { readConfig } from '../../config.ts'
import { acceptOne } from '../../delivery/accept.ts'
import { find } from '../../mailbox/find.ts'
import { listInbox, listSent } from '../../mailbox/list.ts'
import { refreshSearch } from '../../registry/contact-edit.ts'
import { type ContactPointDetails, toContactPointRow } from '../../registry/contact-point.ts'

describe('answering and writing', () => {
  const now = { at: new Date('2026-11-23T10:00:00Z') }
  const write = '/write/northfold-council/council-tax'
  let pages: Pages
  let letterId: string
  before(async () => {
    pages = await startPages(now)
    const { db, keys, council, letter } = pages.post
    letterId = (await acceptOne(db, keys, council, letter('first'), now.at)).messageId
  })
  beforeEach(() => {
    now.at = new Date(now.at.getTime() + 1_000)
  })
  after(() => pages.stop())
  const addPoint = async (slug: string, details: ContactPointDetails) => {
    const { owner, council, parkingId } = pages.post
    const row = {
      ...toContactPointRow(owner, details),
      id: newId(),
      organisation_id: council.partyId,
      service_id: parkingId,
      slug,
    }
    await owner`insert into contact_point ${owner({ ...row, changed_at: now.at, changed_by_name: 'A test' })}`
    await refreshSearch(owner, council.partyId)
  }
  const countSent = async () => (await listSent(pages.post.db, pages.post.rosa, 1)).total

  test('an answer reaches the service, with its files, and both see it in the conversation', async () => {
    const photo = new File(['Meter: 1234'], 'meter.txt', { type: 'application/x-wrong' })
    const answer = await pages.submit('rosa', `/letters/${letterId}/answer`, { text: 'Thank you.\nMay I pay later?' }, [photo])
    assert.equal(answer.statusCode, 303)
    const confirmation = await pages.get('rosa', answer.headers.location as string)
    assert.match(confirmation.body, /Your message is with Northfold Council/)
    assert.match(confirmation.body, /23 November 2026 at 10:00am/)
    assert.match((await pages.get('rosa', `/letters/${letterId}`)).body, /You wrote on.*May I pay later\?/s)
    const { letters } = await listInbox(pages.post.db, pages.post.council, 1)
    const received = await find(pages.post.db, pages.post.council, letters[0]!.id)
    assert.equal(received.answersId, letterId)
    assert.equal(received.subject, 'Answer: Your bill')
    assert.deepEqual(received.content, [{ language: 'en', subject: 'Answer: Your bill', body: 'Thank you.\nMay I pay later?' }])
    assert.deepEqual(
      received.documents.flatMap(({ role, files }) => files.map(({ filename, mediaType }) => [role, filename, mediaType])),
      [['additional', 'meter.txt', 'text/plain']],
    )
  })

  test('a message to a service is chosen by organisation and subject, and is then in Sent', async () => {
    assert.match((await pages.get('rosa', '/write')).body, /<a [^>]*href="\/write\/northfold-council">Northfold Council<\/a>/)
    assert.match((await pages.get('rosa', '/write/northfold-council')).body, new RegExp(`href="${write}">Council tax</a>`))
    const answer = await pages.submit('rosa', write, { subject: 'We  have\tmoved', text: 'To 2 New Street.' })
    assert.equal(answer.statusCode, 303)
    assert.match((await pages.get('rosa', '/sent')).body, /We {2}have moved/)
    const sent = await pages.get('rosa', (answer.headers.location as string).replace('/confirmation', ''))
    assert.match(sent.body, /To Northfold Council.*We {2}have moved.*Not opened yet/s)
    for (const url of ['/write/nowhere', '/write/northfold-council/nothing', '/write/X']) {
      assert.equal((await pages.get('rosa', url)).statusCode, 404, url)
    }
  })

  test('a place to write to is found by searching, and the message goes to its service with what was asked', async () => {
    await addPoint('appeal-a-fine', {
      name: { en: 'Appeal a parking fine', cy: 'Apelio' },
      description: { en: 'Say why you should not pay.' },
      searchWords: { en: 'PCN ticket' },
      asks: [
        { label: { en: 'Notice number' }, hint: { en: 'At the top' }, required: true, maxLength: 11 },
        { label: { en: 'Vehicle' }, maxLength: 8 },
      ],
    })
    const results = (await pages.get('rosa', '/write?q=parking+ticket')).body
    assert.match(
      results,
      /href="\/write\/northfold-council\/appeal-a-fine">Appeal a parking fine<\/a>.*lang="cy">Apelio.*Northfold Council · Parking/s,
    )
    assert.match(results, /value="parking ticket"/)
    const url = '/write/northfold-council/appeal-a-fine'
    const page = (await pages.get('rosa', url)).body
    assert.match(page, /Notice number\s*<\/label>.*At the top.*Vehicle \(optional\)/s)
    const words = { subject: 'My fine', text: 'I had a permit.' }
    const blank = await pages.submit('rosa', url, { ...words, 'ask-0': ' ', 'ask-1': 'much too long' })
    assert.equal(blank.statusCode, 422)
    assert.match(blank.body, /href="#ask-0">Fill in “Notice number”/)
    assert.match(blank.body, /href="#ask-1">“Vehicle” must be 8 characters or fewer/)
    assert.match(blank.body, /value="much too long"/)
    assert.match(blank.body, />I had a permit\.<\/textarea>/)
    const answer = await pages.submit('rosa', url, { ...words, 'ask-0': '<b>NF-1</b>', 'ask-1': '' })
    assert.equal(answer.statusCode, 303)
    const sent = (await pages.get('rosa', (answer.headers.location as string).replace('/confirmation', ''))).body
    assert.match(sent, /Written to.*Appeal a parking fine.*Notice number.*&lt;b&gt;NF-1&lt;\/b&gt;/s)
    assert.doesNotMatch(sent, /Vehicle/)
    const clerk = pages.post.clerk([pages.post.parkingId])
    const [received] = (await listInbox(pages.post.db, clerk, 1)).letters
    const { contact } = await find(pages.post.db, clerk, received!.id)
    assert.deepEqual(contact?.fields, [{ label: 'Notice number', value: '<b>NF-1</b>' }])
    assert.equal(contact.pointName, 'Appeal a parking fine')
    assert.equal(
      (await listInbox(pages.post.db, pages.post.clerk([pages.post.serviceId]), 1)).letters[0]?.subject === 'My fine',
      false,
    )
  })

  test('a search that finds nothing says what to do, and shows the public bodies', async () => {
    const page = (await pages.get('rosa', '/write?q=%3Cxylophone%3E')).body
    assert.match(page, /Nothing was found.*other words.*href="\/write\/northfold-council">Northfold Council/s)
    assert.match(page, /value="&lt;xylophone&gt;"/)
    assert.match((await pages.get('rosa', '/write?q=+')).body, /href="\/write\/northfold-council">/)
    assert.doesNotMatch((await pages.get('rosa', '/write?q=+')).body, /Nothing was found/)
  })

  test('a point’s own limits hold, and may be higher than the installation’s', async () => {
    await addPoint('little', { name: { en: 'Little' }, filesMax: 1, megabytesMax: 1 })
    await addPoint('much', { name: { en: 'Much' }, filesMax: 12, megabytesMax: 15 })
    await addPoint('words-only', { name: { en: 'Words only' }, filesMax: 0 })
    const submit = (slug: string, files: File[]) =>
      pages.submit('rosa', `/write/northfold-council/${slug}`, { subject: 'Files', text: 'Kept words' }, files)
    const file = (name: string, megabytes: number) => new File(['x'.repeat(megabytes * 1024 * 1024)], name)
    assert.match((await pages.get('rosa', '/write/northfold-council/little')).body, /one file, no larger than 1 MB/)
    const tooMany = await submit('little', [file('a.txt', 0.1), file('b.txt', 0.1)])
    assert.match(tooMany.body, /href="#files">Choose one file only/)
    assert.match(tooMany.body, />Kept words<\/textarea>/)
    assert.match((await submit('little', [file('a.txt', 1.1)])).body, /The files are together larger than 1 MB/)
    assert.equal((await submit('little', [file('a.txt', 0.9)])).statusCode, 303)
    const twelve = Array.from({ length: 12 }, (_, i) => file(`${i}.txt`, 1.1))
    assert.equal((await submit('much', twelve)).statusCode, 303)
    assert.doesNotMatch((await pages.get('rosa', '/write/northfold-council/words-only')).body, /type="file"/)
    assert.match((await submit('words-only', [file('a.txt', 0.1)])).body, /No files are taken here/)
  })

  test('a point that is a link to a form takes no message, and says where the form is', async () => {
    await addPoint('missed-bin', { name: { en: 'Missed bin' }, formUrl: 'https://forms.northfold.example/bin?a=1&b=2' })
    const page = (await pages.get('rosa', '/write/northfold-council/missed-bin')).body
    assert.match(page, /forms\.northfold\.example<\/strong>/)
    assert.match(page, /href="https:\/\/forms\.northfold\.example\/bin\?a=1&amp;b=2"/)
    assert.doesNotMatch(page, /<textarea/)
  })

  test('a form that was changed or closed while it was filled in keeps what was typed', async () => {
    await addPoint('changing', { name: { en: 'Changing' }, asks: [{ label: { en: 'Old question' } }] })
    const url = '/write/northfold-council/changing'
    const before = await countSent()
    const fields = { 'ask-0': 'My answer', subject: 'Kept subject', text: 'Kept words' }
    const changed = await pages.submit('rosa', url, { ...fields, version: '7' })
    assert.equal(changed.statusCode, 422)
    assert.match(changed.body, /has been changed while you were writing/)
    assert.match(changed.body, /value="My answer"/)
    await pages.post.owner`update contact_point set active = false where slug = 'changing'`
    assert.match((await pages.get('rosa', url)).body, /Messages are not taken here/)
    const page = await pages.get('rosa', '/write/northfold-council/little')
    const hidden = [...page.body.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)].map(([, name, value]) => [
      name,
      value,
    ])
    const { name, value } = (await pages.signIn('rosa'))!
    const cookie = `${name}=${value}`
    const own = (await pages.app.inject({ url: '/write/northfold-council/little', headers: { cookie } })).body
    const csrf = /name="csrf" value="([^"]+)"/.exec(own)![1]!
    const form = new FormData()
    for (const [field, typed] of Object.entries({ ...Object.fromEntries(hidden), ...fields, csrf })) form.set(field, typed)
    const encoded = new Response(form)
    const headers = { cookie, 'content-type': encoded.headers.get('content-type')! }
    const closed = await pages.app.inject({ method: 'POST', url, headers, payload: Buffer.from(await encoded.arrayBuffer()) })
    assert.equal(closed.statusCode, 422)
    assert.match(closed.body, /Messages are no longer taken here/)
    assert.match(closed.body, /Kept words<\/textarea>/)
    assert.equal(await countSent(), before)
  })

  test('a point for businesses is not there for a person, nor any by a wrong address', async () => {
    await addPoint('rates', { name: { en: 'Business rates' }, audience: ['business'] })
    assert.doesNotMatch((await pages.get('rosa', '/write/northfold-council')).body, /Business rates/)
    assert.doesNotMatch((await pages.get('rosa', '/write?q=business+rates')).body, /Business rates/)
    for (const url of [
      '/write/northfold-council/rates',
      '/write/northfold-council/groups/none',
      '/write/northfold-council/groups/X',
    ]) {
      assert.equal((await pages.get('rosa', url)).statusCode, 404, url)
    }
  })

  test('sending a form twice makes one message', async () => {
    const fields = { reference: newId(), subject: 'Once', text: 'Only once' }
    const before = await countSent()
    const [one, two] = [await pages.submit('rosa', write, fields), await pages.submit('rosa', write, fields)]
    assert.equal(one.headers.location, two.headers.location)
    assert.equal(await countSent(), before + 1)
  })

  test('a form that was sent before with other words asks, and sends both if that is meant', async () => {
    const fields = { reference: newId(), subject: 'First', text: 'First' }
    await pages.submit('rosa', write, fields)
    const again = await pages.submit('rosa', write, { ...fields, text: 'Second' })
    assert.equal(again.statusCode, 422)
    assert.match(again.body, /already sent a message from this form/)
    assert.match(again.body, /<textarea[^>]*>Second<\/textarea>/)
    assert.doesNotMatch(again.body, new RegExp(fields.reference))
  })

  test('what is wrong is said at its field, and what was typed stays', async () => {
    const answer = await pages.submit('rosa', write, { subject: '', text: 'I typed <this>' }, [
      new File([], 'empty.pdf'),
      new File(['no PDF'], 'bill.exe'),
    ])
    assert.equal(answer.statusCode, 422)
    assert.match(answer.body, /<title>Error: Write to Northfold Council – Digital Post<\/title>/)
    assert.match(answer.body, /href="#subject">Enter a subject/)
    assert.match(answer.body, /href="#files">“empty\.pdf” is empty/)
    assert.match(answer.body, /href="#files">“bill\.exe” is not a kind of file that we take/)
    assert.match(answer.body, /I typed &lt;this&gt;<\/textarea>/)
    const blank = await pages.submit('rosa', write, { subject: 'x'.repeat(257), text: ' ' })
    assert.match(blank.body, /Subject must be 256 characters or fewer/)
    assert.match(blank.body, /Enter your message/)
  })

  test('a file that is not what its name says is refused by its name, and nothing is kept', async () => {
    const before = await countSent()
    const answer = await pages.submit('rosa', write, { subject: 'A file', text: 'See it' }, [
      new File(['fine'], 'fine.txt'),
      new File(['<html>'], 'bill.pdf', { type: 'application/pdf' }),
    ])
    assert.equal(answer.statusCode, 422)
    assert.match(answer.body, /“bill\.pdf” is damaged, or is not the kind of file that its name says/)
    assert.equal(await countSent(), before)
  })

  test('files of more than 10 MB, or more than ten, are refused', async () => {
    const half = 'x'.repeat(6 * 1024 * 1024)
    const large = await pages.submit('rosa', write, { subject: 'Large', text: 'x' }, [
      new File([half], 'a.txt'),
      new File([half], 'b.txt'),
    ])
    assert.match(large.body, /The files are together larger than 10 MB/)
    const many = Array.from({ length: 11 }, (_, i) => new File(['x'], `${i}.txt`))
    assert.match((await pages.submit('rosa', write, { subject: 'Many', text: 'x' }, many)).body, /Choose up to 10 files/)
  })

  test('a form without our token, or of somebody else, sends nothing', async () => {
    const before = await countSent()
    for (const csrf of ['', 'token-a']) {
      const answer = await pages.submit('rosa', write, { csrf, subject: 'Forged', text: 'x' })
      assert.equal(answer.statusCode, 403)
      assert.match(answer.body, /This form has expired/)
    }
    const { name, value } = (await pages.signIn('rosa'))!
    const cookie = `${name}=${value}`
    const csrf = /name="csrf" value="([^"]+)"/.exec((await pages.app.inject({ url: write, headers: { cookie } })).body)![1]
    const plain = await pages.app.inject({
      method: 'POST',
      url: write,
      headers: { cookie, 'content-type': 'application/x-www-form-urlencoded' },
      payload: `csrf=${csrf}&subject=a&text=b`,
    })
    assert.equal(plain.statusCode, 403)
    assert.equal(await countSent(), before)
  })

  test('an answer to somebody else’s letter is not there', async () => {
    assert.equal((await pages.get('arthur', `/letters/${letterId}/answer`)).statusCode, 404)
  })

  test('a new message in the conversation stays closed until it is opened on its own page', async () => {
    const { db, keys, council } = pages.post
    const { letters } = await listInbox(db, council, 1)
    const original = await find(db, council, letters.at(-1)!.id)
    const submission = {
      reference: 'staff answer',
      serviceId: original.serviceId,
      answersId: original.id,
      subject: 'Answer: Your bill',
      content: [{ language: 'en', body: 'Yes, you may.' }],
      documents: [],
      reply: { allowed: true },
    }
    const { messageId } = await acceptOne(db, keys, council, submission, now.at)
    const page = (await pages.get('rosa', `/letters/${letterId}`)).body
    assert.doesNotMatch(page, /Yes, you may/)
    assert.match(page, new RegExp(`href="/letters/${messageId}">Open this message`))
    await pages.get('rosa', `/letters/${messageId}`)
    assert.match((await pages.get('rosa', `/letters/${letterId}`)).body, /Yes, you may/)
  })
})

describe('writing for another, with limits', () => {
  const now = { at: new Date('2026-11-23T10:00:00Z') }
  const [parking, councilTax] = ['/write/northfold-council/parking', '/write/northfold-council/council-tax']
  let pages: Pages
  before(async () => {
    pages = await startPages(now)
    const { owner } = pages.post
    await owner`insert into category (slug, name) values ('bills', '{"en": "Bills"}')`
    const { db, keys, council, letter } = pages.post
    await acceptOne(db, keys, council, letter('from council tax'), now.at)
  })
  after(() => pages.stop())

  /** Arthur in Rosa's mailbox, in one window. */
  const openHers = async (limits: Partial<Offer>) => {
    const world = buildGrantWorld(pages.post, now.at, deriveInvitationKey(readConfig({ DEMO: 'true' }).secretKey))
    const grant = await world.give(pages.post.rosa, pages.post.arthur, { role: 'writer', ...limits })
    const { name, value } = (await pages.signIn('arthur'))!
    const headers = { cookie: `${name}=${value}` }
    const get = (url: string) => pages.app.inject({ url, headers })
    const hidden = (body: string) =>
      [...body.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)].map(([, name, value]) => [name!, value!])
    const { csrf } = Object.fromEntries(hidden((await get('/mailboxes')).body))
    const opened = await pages.app.inject({
      method: 'POST',
      url: '/mailboxes/open',
      headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
      payload: new URLSearchParams({ csrf: csrf!, grant }).toString(),
    })
    assert.equal(opened.statusCode, 303)
    /** Fills in the form of one place, and sends it to the same or another. */
    const write = async (form: string, to: string) => {
      const data = new FormData()
      const typed = { subject: 'For Rosa', text: 'On her behalf.' }
      for (const [field, text] of [...hidden((await get(form)).body), ...Object.entries(typed)]) data.set(field!, text!)
      const encoded = new Response(data)
      const type = { 'content-type': encoded.headers.get('content-type')! }
      const payload = Buffer.from(await encoded.arrayBuffer())
      return pages.app.inject({ method: 'POST', url: to, headers: { ...headers, ...type }, payload })
    }
    return { get, write }
  }
  const countWritten = async () => (await listSent(pages.post.db, pages.post.rosa, 1)).total

  test('to one service is offered its places only, and elsewhere reads why not', async () => {
    const arthur = await openHers({ serviceIds: [pages.post.serviceId] })
    for (const url of ['/write/northfold-council', '/write?q=council+tax+parking']) {
      const { body } = await arthur.get(url)
      assert.match(body, new RegExp(`href="${councilTax}"`), url)
      assert.doesNotMatch(body, new RegExp(`href="${parking}"`), url)
    }
    const before = await countWritten()
    for (const refused of [await arthur.get(parking), await arthur.write(councilTax, parking)]) {
      assert.equal(refused.statusCode, 403)
      assert.match(refused.body, /<h1[^>]*>You cannot write to Parking from this mailbox<\/h1>/)
      assert.match(refused.body, /In Rosa Example’s mailbox you can write to Council tax only\. Nothing was sent\./)
      assert.match(refused.body, /<a class="govuk-link" href="\/write">See where you can write/)
      assert.doesNotMatch(refused.body, /<textarea/)
    }
    assert.equal(await countWritten(), before)
    assert.equal((await arthur.write(councilTax, councilTax)).statusCode, 303)
    assert.equal(await countWritten(), before + 1)
    assert.equal((await arthur.get('/write/northfold-council/nothing')).statusCode, 404)
  })

  test('to one category sees what was written afterwards', async () => {
    const arthur = await openHers({ categories: ['bills'] })
    const answer = await arthur.write(parking, parking)
    assert.equal(answer.statusCode, 303)
    const confirmation = await arthur.get(answer.headers.location as string)
    assert.equal(confirmation.statusCode, 200)
    assert.match((await arthur.get('/sent')).body, /For Rosa/)
  })
})

import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import type { LightMyRequestResponse } from 'fastify'
import { decodeJwt, generateKeyPair } from 'jose'
import { v7 as newId } from 'uuid'
import { type LinkedService, startLinkedService } from '../../test/linked-service.ts'
import { type Pages, type Reader, startPages } from '../../test/pages.ts'
import { addressedTo } from '../../test/post.ts'
import { acceptOne } from '../delivery/accept.ts'
import { findRecipients } from '../registry/find-recipients.ts'
import { deleteExpiredLinkRequests } from '../registry/link-end.ts'
import { readRecipientChanges } from '../registry/recipient-changes.ts'

const baseUrl = 'http://localhost:3000'

describe('linking a service', () => {
  const now = { at: new Date('2026-11-23T10:00:00Z') }
  let pages: Pages
  let service: LinkedService
  before(async () => {
    pages = await startPages(now)
    service = await startLinkedService()
    await service.declare(pages.post.owner, 'council-tax')
  })
  beforeEach(() => {
    now.at = new Date(now.at.getTime() + 1_000)
  })
  after(async () => {
    await service?.stop()
    await pages?.stop()
  })

  type Cookie = string | undefined
  const cookieOf = async (reader: Reader): Promise<Cookie> => {
    const session = await pages.signIn(reader)
    return session && `${session.name}=${session.value}`
  }
  const get = (cookie: Cookie, url: string) => pages.app.inject({ url, headers: cookie ? { cookie } : {} })
  const post = (cookie: Cookie, url: string, fields: Record<string, string>) =>
    pages.app.inject({
      method: 'POST',
      url,
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...(cookie ? { cookie } : {}) },
      payload: new URLSearchParams(fields).toString(),
    })
  /** Fills in the form of a page, with its hidden fields. */
  const press = async (cookie: Cookie, page: string, fields: Record<string, string> = {}, url = page) => {
    const { body } = await get(cookie, page)
    const hidden = [...body.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)].map(([, name, value]) => [
      name,
      value,
    ])
    return post(cookie, url, { ...Object.fromEntries(hidden), ...fields })
  }
  const locationOf = ({ statusCode, headers, body }: LightMyRequestResponse) => {
    assert.equal(statusCode, 303, body)
    return headers.location as string
  }

  const times = () => ({ iat: Math.floor(now.at.getTime() / 1000), exp: Math.floor(now.at.getTime() / 1000) + 120 })
  const identifier = (value: string) => ({ scheme: 'link', value })
  const said = (value: string) => ({ aud: baseUrl, service: 'council-tax', identifier: identifier(value), ...times() })

  /** The person asks; answers the nonce that the service is handed. */
  const ask = async (cookie: Cookie): Promise<string> => {
    const address = new URL(locationOf(await press(cookie, '/linked-services/link/council-tax')))
    assert.equal(address.origin, service.issuer)
    const { nonce, aud, return_to } = decodeJwt(address.searchParams.get('request')!)
    assert.deepEqual([aud, return_to], [service.issuer, `${baseUrl}/linking/answer`])
    return String(nonce)
  }
  const signAnswer = (nonce: string, value: string, change = {}) =>
    service.sign('link-answer+jwt', { ...said(value), nonce, ...change })
  /** As a browser brings it: from another site, without our cookie. */
  const bring = (answer: string) => post(undefined, '/linking/answer', { answer })
  const bringOffer = async (value: string, change = {}) =>
    post(undefined, '/linking/offer', { offer: await service.sign('link-offer+jwt', { ...said(value), ...change }) })
  /** The whole way to the page that asks the person. */
  const wayToQuestion = async (cookie: Cookie, value: string) =>
    locationOf(await bring(await signAnswer(await ask(cookie), value)))
  const link = async (cookie: Cookie, value: string) => press(cookie, await wayToQuestion(cookie, value), { decision: 'yes' })

  const whose = async (value: string) => {
    const { db, keys, serviceId } = pages.post
    return (await findRecipients(db, [addressedTo(keys, serviceId, identifier(value))]))[0]?.partyId
  }
  const told = async () => {
    const { db, keys, council } = pages.post
    const changes = await readRecipientChanges(db, keys, council, { after: '0', limit: 500 })
    return changes.map(({ identifier, status, contested }) => [identifier.value, status, contested])
  }
  const looks = async (partyId: string) =>
    (await pages.post.owner`select what from look where party_id = ${partyId} order by at, id`).map(({ what }) => what)
  const rows = async () =>
    (
      await pages.post
        .owner`select (select count(*) from link)::int as links, (select count(*) from link_request)::int as requests, (select count(*) from used_token)::int as used`
    )[0]
  const refused = (answer: LightMyRequestResponse, status: number, words: RegExp) => {
    assert.equal(answer.statusCode, status, answer.body)
    assert.match(answer.body, words)
    assert.match(answer.body, /Nothing was linked/)
  }

  test('both sides say yes, and a letter by that number arrives', async () => {
    const { post: world } = pages
    const cookie = await cookieOf('rosa')
    const question = await wayToQuestion(cookie, 'CT-1003')
    assert.doesNotMatch(question, /1003/)
    assert.equal(await whose('CT-1003'), undefined, 'the service’s word alone links nothing')
    const page = await get(cookie, question)
    assert.match(page.body, /Do you want letters from Northfold Council, Council tax here\?/)
    assert.match(page.body, /Ends in 003/)
    assert.doesNotMatch(page.body, /CT-1003/)
    assert.equal(locationOf(await press(cookie, question, { decision: 'yes' })), '/linked-services?done=linked')
    assert.equal(await whose('CT-1003'), world.rosa.partyId)
    const letter = { ...world.letter('to the new link'), recipient: identifier('CT-1003') }
    await acceptOne(world.db, world.keys, world.council, letter, now.at)
    assert.match((await get(cookie, '/linked-services?done=linked')).body, /The service is linked.*Council tax.*003/s)
    assert.ok((await looks(world.rosa.partyId)).includes('link-made'))
    assert.deepEqual((await told()).at(-1), ['CT-1003', 'registered', false])
  })

  test('saying no, or nothing, links nothing', async () => {
    const cookie = await cookieOf('rosa')
    const question = await wayToQuestion(cookie, 'CT-2000')
    const nothing = await press(cookie, question)
    assert.equal(nothing.statusCode, 422)
    assert.match(nothing.body, /href="#decision">Select whether to link the service/)
    assert.equal(locationOf(await press(cookie, question, { decision: 'no' })), '/linked-services?done=declined')
    refused(await get(cookie, question), 409, /has been used already/)
    assert.equal(await whose('CT-2000'), undefined)
  })

  test('confirming twice is the same as once', async () => {
    const cookie = await cookieOf('rosa')
    const question = await wayToQuestion(cookie, 'CT-2001')
    const form = { csrf: /name="csrf" value="([^"]+)"/.exec((await get(cookie, question)).body)![1]!, decision: 'yes' }
    const answers = await Promise.all([post(cookie, question, form), post(cookie, question, form)])
    assert.deepEqual(answers.map(locationOf), ['/linked-services?done=linked', '/linked-services?done=linked'])
    assert.deepEqual(
      (await told()).filter(([value]) => value === 'CT-2001'),
      [['CT-2001', 'registered', false]],
    )
  })

  test('an answer for another request, audience or time, or by another key, is refused, logged, and leaves nothing', async () => {
    const cookie = await cookieOf('rosa')
    const nonce = await ask(cookie)
    const before = await rows()
    const { iat } = times()
    const { privateKey } = await generateKeyPair('ES256')
    const answers: [string, RegExp, Promise<string>][] = [
      [
        'signature',
        /not in order, so we did not believe it/,
        service.sign('link-answer+jwt', { ...said('CT-1'), nonce }, { key: privateKey }),
      ],
      ['audience', /not in order/, signAnswer(nonce, 'CT-2100', { aud: 'https://elsewhere.example' })],
      ['issuer', /not in order/, signAnswer(nonce, 'CT-2100', { iss: 'https://elsewhere.example' })],
      ['nonce', /not in order/, signAnswer('another nonce', 'CT-2100')],
      ['old', /counts for a short time/, signAnswer(nonce, 'CT-2100', { iat: iat - 700, exp: iat - 100 })],
      ['service', /not in order/, signAnswer(nonce, 'CT-2100', { service: 'libraries' })],
      ['offer', /not in order/, service.sign('link-offer+jwt', { ...said('CT-2100'), nonce })],
      ['nothing', /not in order/, Promise.resolve('')],
    ]
    for (const [why, words, token] of answers) {
      refused(await bring(await token), 400, words)
      assert.deepEqual(await rows(), before, why)
    }
    assert.equal((await bring(await signAnswer(nonce, 'CT-2100'))).statusCode, 303, 'and the right one still counts')
  })

  test('another service’s answer does not count for a request', async () => {
    const cookie = await cookieOf('rosa')
    const nonce = await ask(cookie)
    await service.declare(pages.post.owner, 'parking')
    refused(await bring(await signAnswer(nonce, 'CT-2150', { service: 'parking' })), 400, /not in order/)
  })

  test('an answer counts once, also when it comes twice at the same moment', async () => {
    const cookie = await cookieOf('rosa')
    const token = await signAnswer(await ask(cookie), 'CT-2200')
    const answers = await Promise.all([bring(token), bring(token)])
    assert.deepEqual(answers.map(({ statusCode }) => statusCode).sort(), [303, 409])
    refused(await bring(token), 409, /counts once/)
    const nonce = await ask(cookie)
    await bring(await signAnswer(nonce, 'CT-2201'))
    refused(await bring(await signAnswer(nonce, 'CT-2202')), 409, /counts once/)
  })

  test('an answer to a request of an hour ago is too late, and so is the person’s word an hour after it', async () => {
    const cookie = await cookieOf('rosa')
    const nonce = await ask(cookie)
    now.at = new Date(now.at.getTime() + 41 * 60_000)
    refused(await bring(await signAnswer(nonce, 'CT-2300')), 400, /counts for a short time/)
    const again = await cookieOf('rosa')
    const question = await wayToQuestion(again, 'CT-2300')
    now.at = new Date(now.at.getTime() + 61 * 60_000)
    const later = await cookieOf('rosa')
    refused(await get(later, question), 400, /counts for a short time/)
    await deleteExpiredLinkRequests(pages.post.db, now.at)
    assert.equal((await rows())!.requests, 0)
    refused(await get(later, question), 400, /counts for a short time/)
  })

  test('a request that one person began and another brought back links nothing for either', async () => {
    const [rosa, arthur] = [await cookieOf('rosa'), await cookieOf('arthur')]
    // Rosa sends Arthur the address with her request; he signs in at the service, and his browser brings the answer.
    const question = locationOf(await bring(await signAnswer(await ask(rosa), 'CT-2400')))
    refused(await get(arthur, question), 403, /Somebody else who uses this service began this/)
    refused(await get(rosa, question), 409, /used already/)
    assert.equal(await whose('CT-2400'), undefined)
  })

  test('who is not signed in any more signs in first, and comes back to the question', async () => {
    const question = await wayToQuestion(await cookieOf('rosa'), 'CT-2500')
    assert.equal(locationOf(await get(undefined, question)), `/sign-in?to=${encodeURIComponent(question)}`)
  })

  test('a service that cannot be reached is tried again with the same answer', async () => {
    const cookie = await cookieOf('rosa')
    const token = await signAnswer(await ask(cookie), 'CT-2600')
    pages.app.linking.keySets.clear()
    service.isDown = true
    const answer = await bring(token)
    service.isDown = false
    refused(answer, 503, /Your account could not be reached/)
    assert.equal(/name="answer" value="([^"]+)"/.exec(answer.body)![1], token)
    assert.equal((await bring(token)).statusCode, 303)
  })

  test('the service’s own site can offer it: whoever opens the offer first, and says yes', async () => {
    const question = locationOf(await bringOffer('CT-3001'))
    const [rosa, arthur] = [await cookieOf('rosa'), await cookieOf('arthur')]
    assert.equal(locationOf(await get(undefined, question)), `/sign-in?to=${encodeURIComponent(question)}`)
    const page = await get(arthur, question)
    assert.match(page.body, /Only say yes if you came here from Northfold Council’s own site yourself/)
    assert.match(page.body, /Ends in 001/)
    refused(await get(rosa, question), 403, /began this/)
    refused(await get(arthur, question), 409, /used already/)
    const second = locationOf(await bringOffer('CT-3001'))
    assert.equal(locationOf(await press(arthur, second, { decision: 'yes' })), '/linked-services?done=linked')
    assert.equal(await whose('CT-3001'), pages.post.arthur.partyId)
  })

  test('an offer that is for somebody else, old or used is refused', async () => {
    const { iat } = times()
    refused(await bringOffer('CT-3100', { aud: 'https://elsewhere.example' }), 400, /not in order/)
    refused(await bringOffer('CT-3100', { iat: iat - 700, exp: iat - 100 }), 400, /counts for a short time/)
    refused(await post(undefined, '/linking/offer', {}), 400, /not in order/)
    const jti = 'one offer'
    locationOf(await bringOffer('CT-3100', { jti }))
    refused(await bringOffer('CT-3100', { jti }), 409, /counts once/)
  })

  test('an identifier that somebody else has is refused to the second, and the service is told once', async () => {
    const arthur = await cookieOf('arthur')
    const question = await wayToQuestion(arthur, 'CT-1')
    for (let visit = 0; visit < 2; visit += 1) refused(await get(arthur, question), 409, /linked with another mailbox/)
    assert.doesNotMatch((await get(arthur, question)).body, /Rosa|Bring your two mailboxes/)
    assert.equal(await whose('CT-1'), pages.post.rosa.partyId)
    assert.deepEqual(
      (await told()).filter(([value]) => value === 'CT-1'),
      [['CT-1', 'registered', true]],
    )
    const csrf = /name="csrf" value="([^"]+)"/.exec((await get(arthur, '/linked-services/link/council-tax')).body)![1]!
    assert.equal((await post(arthur, question, { csrf, decision: 'yes' })).statusCode, 409)
    assert.equal(await whose('CT-1'), pages.post.rosa.partyId)
  })

  test('of two who confirm the same identifier at once, one has it and the other is refused', async () => {
    const readers = [await cookieOf('rosa'), await cookieOf('arthur')]
    const questions = [await wayToQuestion(readers[0], 'CT-3200'), await wayToQuestion(readers[1], 'CT-3200')]
    const answers = await Promise.all(readers.map((cookie, i) => press(cookie, questions[i]!, { decision: 'yes' })))
    assert.deepEqual(answers.map(({ statusCode }) => statusCode).sort(), [303, 409])
    assert.deepEqual(
      (await told()).filter(([value]) => value === 'CT-3200').map(([, , contested]) => contested),
      [false, true],
    )
  })

  test('unlinking is at once: what is there stays, what comes is refused, and the service is told', async () => {
    const { db, keys, council, letter, arthur: actor } = pages.post
    const arthur = await cookieOf('arthur')
    await link(arthur, 'CT-4001')
    const to = { recipient: identifier('CT-4001') }
    const { messageId } = await acceptOne(db, keys, council, { ...letter('before unlinking'), ...to }, now.at)
    const list = (await get(arthur, '/linked-services')).body
    const page =
      /href="(\/linked-services\/unlink\/[^"]+)"[^>]*>Unlink<span[^>]*> Northfold Council, Council tax ending in 001</.exec(
        list.slice(list.lastIndexOf('<strong>001')),
      )![1]!
    const { body } = await get(arthur, page)
    assert.match(body, /Letters that are here already stay here/)
    assert.match(body, /sent already for a later day does not come here any more/)
    assert.equal((await get(await cookieOf('rosa'), page)).statusCode, 404, 'it is Arthur’s')
    assert.equal((await post(arthur, page, { csrf: 'forged' })).statusCode, 403)
    assert.equal(locationOf(await press(arthur, page)), '/linked-services?done=unlinked')
    await assert.rejects(acceptOne(db, keys, council, { ...letter('after unlinking'), ...to }, now.at), {
      code: 'recipient-not-found',
    })
    assert.equal((await get(arthur, `/letters/${messageId}`)).statusCode, 200)
    assert.deepEqual((await told()).at(-1), ['CT-4001', 'unknown', false])
    assert.ok((await looks(actor.partyId)).includes('link-ended'))
    assert.equal((await get(arthur, page)).statusCode, 404)
    assert.equal(locationOf(await link(arthur, 'CT-4001')), '/linked-services?done=linked', 'and linked again')
  })

  test('a service that takes no part cannot be linked, and a form of another site starts nothing', async () => {
    const rosa = await cookieOf('rosa')
    await pages.post
      .owner`update service set linking_address = null, linking_issuer = null, linking_jwks_url = null where slug = 'parking'`
    assert.equal((await get(rosa, '/linked-services/link/parking')).statusCode, 404)
    assert.equal((await get(rosa, '/linked-services/link/nothing')).statusCode, 404)
    const before = await rows()
    assert.equal((await post(rosa, '/linked-services/link/council-tax', {})).statusCode, 403)
    assert.deepEqual(await rows(), before)
    assert.match(
      String((await get(rosa, '/linked-services/link/council-tax')).headers['content-security-policy']),
      new RegExp(`form-action 'self' [^;]*${service.issuer}`),
    )
  })

  test('who helps with a mailbox can neither see its links nor make one', async () => {
    const { owner, rosa, arthur } = pages.post
    const [question, cookie] = [locationOf(await bringOffer('CT-5001')), await cookieOf('rosa')]
    const grantId = newId()
    await owner`
      insert into access_grant (id, giver_id, holder_id, kind, role, starts_at, holder_name, offered_at, offered_by_name, accepted_at)
      values (${grantId}, ${arthur.partyId}, ${rosa.partyId}, 'helper', 'writer', ${now.at}, 'Rosa Example', ${now.at}, 'Arthur Sample', ${now.at})`
    await owner`update session set grant_id = ${grantId} where party_id = ${rosa.partyId}`
    for (const page of ['/linked-services', '/linked-services/link/council-tax', question]) {
      const { statusCode, body } = await get(cookie, page)
      assert.equal(statusCode, 403, page)
      assert.match(body, /You have the mailbox of Arthur Sample open/)
      assert.doesNotMatch(body, /Ends in|Unlink/)
    }
  })

  test('our keys are published without their private part', async () => {
    const { keys } = (await get(undefined, '/linking/jwks.json')).json()
    assert.deepEqual([keys.length, keys[0].alg, 'd' in keys[0]], [1, 'ES256', false])
  })
})

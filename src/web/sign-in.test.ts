import assert from 'node:assert/strict'
import { createPrivateKey, generateKeyPairSync, type JsonWebKey } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { after, before, describe, it } from 'node:test'
import cookie from '@fastify/cookie'
import formbody from '@fastify/formbody'
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import { type JWTPayload, SignJWT } from 'jose'
import { v7 as newId } from 'uuid'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { type Config, readConfig } from '../config.ts'
import { Problem } from '../problems.ts'
import { createParty } from '../registry/create-party.ts'
import { oneLoginAddresses } from '../sign-in/one-login.ts'
import { deleteExpiredSessions } from '../sign-in/session.ts'
import { oneLoginSubject, standInKey } from '../sign-in/stand-in.ts'
import { checkForm, registerSessions, requirePerson, requireRegistrar, requireStaff } from './session.ts'
import { registerSignIn } from './sign-in.ts'
import { registerStandIns } from './stand-in.ts'
import { registerLanguages } from './words.ts'

const people = ['ann', 'bob', 'cat', 'dee', 'eve', 'fay', 'gil', 'hal', 'ida', 'kit', 'lin'].map((id) => ({
  id,
  givenNames: [id, 'Middle'],
  familyName: 'Tester',
  birthDate: id === 'kit' ? new Date().toISOString().slice(0, 10) : '1980-02-29',
  note: 'Made up.',
}))
const staff = [
  { subject: 'staff-1', name: 'Sam Staff', note: 'Registered.' },
  { subject: 'staff-2', name: 'Noa Nobody', note: 'Not registered.' },
  { subject: 'registrar-1', name: 'Bo Dummyname', note: 'Registrar.' },
]

let test: TestDatabase
let app: FastifyInstance
let config: Config
/** How far the clock of the program is ahead. */
let aheadMs = 0
const clock = () => new Date(Date.now() + aheadMs)
const minutes = 60_000

before(async () => {
  test = await createTestDatabase()
  const port = await freePort()
  config = readConfig({ DEMO: 'true', BASE_URL: `http://localhost:${port}`, DATABASE_URL: test.url, LOG_LEVEL: 'silent' })
  app = await build(config)
  await app.listen({ host: 'localhost', port })
})

after(async () => {
  await app.close()
  await test.drop()
})

async function build(config: Config): Promise<FastifyInstance> {
  const options = { config, database: test.database, clock }
  const app = fastify({ genReqId: () => newId(), forceCloseConnections: true })
  app.setErrorHandler((error, _request, reply) => {
    if (error instanceof Problem) return reply.code(error.status).send(error)
    throw error
  })
  await app.register(cookie)
  await app.register(formbody)
  registerLanguages(app, config.baseUrl)
  registerSessions(app, options)
  await registerSignIn(app, options)
  if (config.oneLogin.issuer === undefined) registerStandIns(app, { config, people, staff })
  const show = (kind: string) => async (request: FastifyRequest) => ({
    kind,
    ...request.signedIn,
    rights: [...request.signedIn!.actor.rights],
  })
  app.get('/inbox', { preHandler: requirePerson }, show('inbox'))
  app.get('/letters/:id', { preHandler: requirePerson }, show('letter'))
  app.get('/department', { preHandler: requireStaff }, show('department'))
  app.get('/registrar', { preHandler: requireRegistrar }, show('registrar'))
  app.post('/form', { preHandler: [requirePerson, checkForm] }, async () => 'taken')
  return app
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, 'localhost')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

type Page = { status: number; url: URL; text: string; headers: Headers; via: URL[] }

/** Keeps cookies and follows redirects, as a browser does. */
class Browser {
  cookies = new Map<string, { value: string; path: string }>()

  async go(address: string, form?: Record<string, string>, headers: Record<string, string> = {}): Promise<Page> {
    let url = new URL(address, config.baseUrl)
    let body = form && new URLSearchParams(form)
    const via: URL[] = []
    for (;;) {
      via.push(url)
      // Who is new is shown what this is first, and goes on from there.
      if (url.pathname === '/welcome') url = new URL(url.searchParams.get('to')!, url)
      const response = await this.send(url, body, headers)
      const location = response.headers.get('location')
      if (location === null) {
        return { status: response.status, url, text: await response.text(), headers: response.headers, via }
      }
      await response.body?.cancel()
      url = new URL(location, url)
      body = undefined
    }
  }

  async send(url: URL, body?: URLSearchParams, headers: Record<string, string> = {}): Promise<Response> {
    const cookie = [...this.cookies]
      .filter(([, { path }]) => url.pathname.startsWith(path))
      .map(([name, { value }]) => `${name}=${value}`)
    const response = await fetch(url, {
      method: body ? 'POST' : 'GET',
      body,
      redirect: 'manual',
      headers: { cookie: cookie.join('; '), ...headers },
    })
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!
      const path = /path=([^;]*)/i.exec(line)?.[1] ?? '/'
      if (!value || /expires=Thu, 01 Jan 1970|max-age=0/i.test(line)) this.cookies.delete(name!)
      else this.cookies.set(name!, { value, path })
    }
    return response
  }

  /** Presses a button of the stand-in's page. */
  choose(page: Page, choice: { account?: string; outcome?: string }) {
    assert.match(page.url.pathname, /^\/(one-login|staff)-stand-in\/interaction\//, page.text)
    return this.go(page.url.href, choice as Record<string, string>)
  }

  /** The whole way for somebody who is at the stand-in for the first time in this browser. */
  async signIn(account: string, address = '/inbox'): Promise<Page> {
    const page = await this.choose(await this.go(address), { account })
    return page.text.includes('Prove your identity') ? this.choose(page, { outcome: 'continue' }) : page
  }

  get session() {
    return this.cookies.get('digital-post')?.value
  }
}

const requested = (page: Page) =>
  page.via.filter(({ pathname }) => pathname.endsWith('/authorize')).map((url) => url.searchParams)
const countParties = async () => Number((await test.owner`select count(*) from party`)[0]!.count)

describe('Signing in as a person', () => {
  it('says to somebody below the age what happens to their post, and keeps nothing of them', async () => {
    const parties = await countParties()
    const browser = new Browser()
    const page = await browser.signIn('kit')
    assert.equal(page.status, 403)
    assert.match(page.text, /You can have a mailbox from the age of 15/)
    assert.match(page.text, /write to you, or to your parent or guardian, on paper/)
    assert.equal(browser.session, undefined)
    assert.equal(await countParties(), parties)
  })

  it('asks One Login who it is, then for proof of identity, and makes a mailbox for somebody new', async () => {
    const browser = new Browser()
    const first = await browser.go('/letters/7?page=2')
    assert.match(first.text, /ann Middle Tester/)
    const [request] = requested(first)
    assert.equal(request!.get('vtr'), '["Cl.Cm"]')
    assert.equal(request!.get('scope'), 'openid')
    assert.equal(request!.get('claims'), null)
    assert.equal(request!.get('code_challenge_method'), 'S256')
    assert.equal(request!.get('ui_locales'), 'en')

    const second = await browser.choose(first, { account: 'ann' })
    const [proof] = requested(second)
    assert.equal(proof!.get('vtr'), '["Cl.Cm.P2"]')
    assert.deepEqual(JSON.parse(proof!.get('claims')!), {
      userinfo: { 'https://vocab.account.gov.uk/v1/coreIdentityJWT': null },
    })
    assert.notEqual(proof!.get('state'), request!.get('state'))

    const letter = await browser.choose(second, { outcome: 'continue' })
    assert.equal(letter.url.pathname + letter.url.search, '/letters/7?page=2')
    assert.ok(letter.via.some(({ pathname }) => pathname === '/welcome'))
    const { kind, role, name, actor } = JSON.parse(letter.text)
    assert.deepEqual([kind, role, name, actor.door], ['letter', 'person', 'ann Middle Tester', 'citizen-pages'])
    const [row] = await test.owner`
      select party.id, party.kind, birth_date::text, mailbox.id as mailbox_id from one_login_subject
      join party on party.id = party_id join mailbox on mailbox.party_id = party.id where subject = ${oneLoginSubject('ann')}`
    assert.deepEqual({ ...row }, { id: actor.partyId, kind: 'person', birthDate: '1980-02-29', mailboxId: actor.mailboxId })
    assert.deepEqual(
      [...browser.cookies.keys()].filter((name) => name.startsWith('digital-post-sign-in')),
      [],
    )
  })

  it('passes the language that was chosen on to One Login, and keeps it over the sign-in', async () => {
    const browser = new Browser()
    await browser.go('/signed-out?lang=cy')
    assert.equal(browser.cookies.get('language')?.value, 'cy')
    const first = await browser.go('/letters/7')
    assert.equal(requested(first)[0]!.get('ui_locales'), 'cy')
    const second = await browser.choose(first, { account: 'lin' })
    assert.equal(requested(second)[0]!.get('ui_locales'), 'cy')
    await browser.choose(second, { outcome: 'continue' })
    assert.match((await browser.go('/signed-out')).text, /<html lang="cy".*Rydych wedi allgofnodi/s)
  })

  it('asks for no proof of identity from somebody who is known, and gives the browser a new session', async () => {
    const browser = new Browser()
    await browser.signIn('bob')
    const before = browser.session
    const parties = await countParties()
    const again = await browser.go('/sign-in')
    assert.equal(again.url.pathname, '/inbox')
    assert.deepEqual(
      requested(again).map((request) => request.get('vtr')),
      ['["Cl.Cm"]'],
    )
    assert.equal(await countParties(), parties)
    assert.notEqual(browser.session, before)
    browser.cookies.set('digital-post', { value: before!, path: '/' })
    assert.notEqual((await browser.send(new URL('/inbox', config.baseUrl))).status, 200)
  })

  it('makes one mailbox when somebody new comes twice at once', async () => {
    const [one, two] = [new Browser(), new Browser()]
    const proofs = await Promise.all(
      [one, two].map(async (browser) => browser.choose(await browser.go('/inbox'), { account: 'cat' })),
    )
    const parties = await countParties()
    const inboxes = await Promise.all([
      one.choose(proofs[0]!, { outcome: 'continue' }),
      two.choose(proofs[1]!, { outcome: 'continue' }),
    ])
    assert.equal(await countParties(), parties + 1)
    const [first, second] = inboxes.map(({ text }) => JSON.parse(text).actor.mailboxId)
    assert.ok(first)
    assert.equal(first, second)
  })

  it('keeps two tabs that sign in at the same time apart', async () => {
    const browser = new Browser()
    await browser.signIn('bob')
    browser.cookies.delete('one-login-stand-in')
    const [one, two] = [
      await browser.send(new URL('/sign-in?to=/letters/1', config.baseUrl)),
      await browser.send(new URL('/sign-in?to=/letters/2', config.baseUrl)),
    ]
    const page = await browser.choose(await browser.go(one.headers.get('location')!), { account: 'bob' })
    assert.equal(page.url.pathname, '/letters/1')
    assert.equal((await browser.go(two.headers.get('location')!)).url.pathname, '/letters/2')
  })

  it('keeps nothing of a sign-in that was not finished, and at most three in one browser', async () => {
    const browser = new Browser()
    for (let count = 0; count < 6; count++) await browser.send(new URL('/sign-in', config.baseUrl))
    assert.equal([...browser.cookies.keys()].length, 3)
  })

  for (const [to, why] of [
    ['https://evil.example/', 'another address'],
    ['//evil.example/', 'another host'],
    ['/\\evil.example/', 'a backslash'],
    ['/.//evil.example/', 'two slashes further on'],
    ['/\t/evil.example', 'a tab'],
    ['inbox', 'no slash'],
  ]) {
    it(`never goes on to ${why} after signing in`, async () => {
      const browser = new Browser()
      const page = await browser.choose(await browser.go(`/sign-in?to=${encodeURIComponent(to!)}`), { account: 'ann' })
      assert.equal(page.url.href, `${config.baseUrl}/inbox`)
    })
  }
})

describe('Signing in that does not succeed', () => {
  it('says in plain words that One Login is temporarily unavailable', async () => {
    const browser = new Browser()
    const page = await browser.choose(await browser.go('/inbox'), { outcome: 'unavailable' })
    assert.equal(page.status, 503)
    assert.match(page.text, /You cannot sign in at the moment/)
    assert.match(page.text, /Nothing is lost/)
    assert.match(page.text, /href="\/sign-in"/)
    assert.equal(browser.session, undefined)
  })

  it('says in plain words that access was denied, and how a Post Office matters, and lets one try again', async () => {
    const browser = new Browser()
    const proof = await browser.choose(await browser.go('/inbox'), { account: 'dee' })
    const page = await browser.choose(proof, { outcome: 'refuse' })
    assert.equal(page.status, 403)
    assert.match(page.text, /Post Office/)
    assert.equal(await countWithSubject('dee'), 0)
    const again = await browser.choose(await browser.go('/sign-in'), { outcome: 'continue' })
    assert.equal(again.url.pathname, '/inbox')
  })

  it('helps when the sign-in is unknown, was used before, or is too old', async () => {
    const browser = new Browser()
    const unknown = await browser.go('/sign-in/callback?code=abc&state=def')
    assert.equal(unknown.status, 400)
    assert.match(unknown.text, /start signing in again/)

    const inbox = await browser.signIn('ann')
    const callback = inbox.via.find(({ pathname }) => pathname === '/sign-in/callback')!
    assert.equal((await browser.go(callback.href)).status, 400)

    const late = new Browser()
    const page = await late.go('/inbox')
    aheadMs = 16 * minutes
    try {
      const lost = await late.choose(page, { account: 'ann' })
      assert.match(lost.text, /start signing in again/)
    } finally {
      aheadMs = 0
    }
  })

  it('takes no answer that belongs to another browser’s sign-in', async () => {
    const [attacker, victim] = [new Browser(), new Browser()]
    const page = await attacker.go('/sign-in')
    const answer = await attacker.send(page.url, new URLSearchParams({ account: 'ann' }))
    const resumed = await attacker.send(new URL(answer.headers.get('location')!, config.baseUrl))
    const callback = resumed.headers.get('location')!
    await victim.send(new URL('/sign-in', config.baseUrl))
    assert.equal((await victim.go(callback)).status, 400)
    assert.equal(victim.session, undefined)
  })

  it('ends the session here when One Login says that the person must sign in there again', async () => {
    const browser = new Browser()
    await browser.signIn('ann')
    const started = await browser.send(new URL('/sign-in', config.baseUrl))
    const state = new URL(started.headers.get('location')!).searchParams.get('state')!
    const iss = encodeURIComponent(`${config.baseUrl}/one-login-stand-in/`)
    const page = await browser.go(`/sign-in/callback?error=login_required&state=${state}&iss=${iss}`)
    assert.match(page.text, /signed you out here too/)
    assert.match((await browser.go('/inbox')).via.map(({ pathname }) => pathname).join(), /^\/inbox,\/sign-in,/)
  })

  it('says that signing in is unavailable when One Login cannot be reached', async () => {
    const port = await freePort()
    const lonely = await build({
      ...config,
      oneLogin: { ...config.oneLogin, issuer: `http://localhost:${port}/`, didUrl: `http://localhost:${port}/did.json` },
    })
    const answer = await lonely.inject('/sign-in')
    assert.equal(answer.statusCode, 503)
    assert.match(answer.body, /Nothing is lost/)
    await lonely.close()
  })
})

async function countWithSubject(id: string): Promise<number> {
  const [row] = await test.owner`select count(*) from one_login_subject where subject = ${oneLoginSubject(id)}`
  return Number(row!.count)
}

describe('A session', () => {
  it('ends after the idle limit, and is kept alive by being used', async () => {
    const browser = new Browser()
    await browser.signIn('ann')
    try {
      for (aheadMs = 0; aheadMs < 100 * minutes; aheadMs += 29 * minutes)
        assert.equal((await browser.go('/inbox')).url.pathname, '/inbox')
      aheadMs += 2 * minutes
      const page = await browser.send(new URL('/inbox', config.baseUrl))
      assert.deepEqual([page.status, page.headers.get('location')], [303, '/sign-in?to=%2Finbox'])
    } finally {
      aheadMs = 0
    }
  })

  it('ends after the absolute limit however much it is used', async () => {
    const browser = new Browser()
    await browser.signIn('ann')
    try {
      const statuses: number[] = []
      for (aheadMs = 0; aheadMs <= 490 * minutes; aheadMs += 20 * minutes) {
        statuses.push((await browser.send(new URL('/inbox', config.baseUrl))).status)
      }
      assert.equal(statuses.indexOf(303), 24)
    } finally {
      aheadMs = 0
    }
  })

  it('that has ended is cleared away, and no other', async () => {
    const [old, young] = [new Browser(), new Browser()]
    await old.signIn('ann')
    aheadMs = 20 * minutes
    try {
      await young.signIn('ann')
      await test.owner`insert into used_token (id_hash, expires_at) values ('\\x01', ${clock()})`
      await deleteExpiredSessions(test.database, config, new Date(clock().getTime() + 15 * minutes))
      const statuses = [old, young].map(async (browser) => (await browser.send(new URL('/inbox', config.baseUrl))).status)
      assert.deepEqual(await Promise.all(statuses), [303, 200])
      assert.equal((await test.owner`select 1 from used_token where id_hash = '\\x01'`).length, 0)
    } finally {
      aheadMs = 0
    }
  })

  it('is in a cookie that scripts cannot read, bound to our host over https', async () => {
    const browser = new Browser()
    const page = await browser.go('/sign-in')
    const answer = await browser.send(page.url, new URLSearchParams({ account: 'ann' }))
    const resumed = await browser.send(new URL(answer.headers.get('location')!, config.baseUrl))
    const arrived = await browser.send(new URL(resumed.headers.get('location')!))
    const ours = (lines: string[]) =>
      lines.find((line) => /^(__Host-)?digital-post(=|-sign-in-\w+=\w)/.test(line) && !/=;/.test(line))
    assert.match(ours(arrived.headers.getSetCookie())!, /^digital-post=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/)

    const { issuer, didUrl } = oneLoginAddresses(config)
    const secure = await build({ ...config, baseUrl: 'https://post.example', oneLogin: { ...config.oneLogin, issuer, didUrl } })
    const { headers } = await secure.inject('/sign-in')
    await secure.close()
    assert.match(
      ours([headers['set-cookie']].flat() as string[])!,
      /^__Host-digital-post-sign-in-\w+=[\w.-]+; Max-Age=900; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    )
  })

  it('is not in the database in a form that could be used', async () => {
    const browser = new Browser()
    await browser.signIn('ann')
    const rows = await test.owner`select * from session`
    assert.ok(rows.length > 0)
    assert.ok(!JSON.stringify(rows).includes(browser.session!))
    assert.ok(!rows.some(({ idTokenSealed }) => idTokenSealed.includes('eyJ')))
  })
})

describe('A form', () => {
  const cases: [string, Record<string, string> | undefined, Record<string, string>, number][] = [
    ['with the session’s token is taken', undefined, {}, 200],
    ['from the same origin is taken', undefined, { 'sec-fetch-site': 'same-origin', origin: 'OWN' }, 200],
    ['of a page that sends no referrer is taken', undefined, { 'sec-fetch-site': 'same-origin', origin: 'null' }, 200],
    ['without a token is refused', {}, {}, 403],
    ['with another token is refused', { csrf: 'x'.repeat(43) }, {}, 403],
    ['from another site is refused', undefined, { 'sec-fetch-site': 'cross-site' }, 403],
    ['from a sister site is refused', undefined, { 'sec-fetch-site': 'same-site' }, 403],
    ['from another origin is refused', undefined, { origin: 'https://evil.example' }, 403],
    ['from an origin that is not told is refused', undefined, { origin: 'null' }, 403],
  ]
  for (const [name, body, headers, status] of cases) {
    it(name, async () => {
      const browser = new Browser()
      const { csrfToken } = JSON.parse((await browser.signIn('ann')).text)
      const sent = Object.fromEntries(Object.entries(headers).map(([key, value]) => [key, value.replace('OWN', config.baseUrl)]))
      const answer = await browser.send(new URL('/form', config.baseUrl), new URLSearchParams(body ?? { csrf: csrfToken }), sent)
      assert.equal(answer.status, status)
    })
  }

  it('with the token of somebody else’s session is refused', async () => {
    const [ann, bob] = [new Browser(), new Browser()]
    const { csrfToken } = JSON.parse((await ann.signIn('ann')).text)
    await bob.signIn('bob')
    assert.equal((await bob.go('/form', { csrf: csrfToken })).status, 403)
  })
})

describe('Signing out', () => {
  it('ends the session here and at One Login', async () => {
    const browser = new Browser()
    const { csrfToken } = JSON.parse((await browser.signIn('eve')).text)
    const copy = browser.session!
    assert.equal((await browser.go('/sign-out', {})).status, 403)
    const page = await browser.go('/sign-out', { csrf: csrfToken })
    assert.equal(page.url.pathname, '/signed-out')
    assert.ok(page.url.searchParams.get('state'))
    const there = page.via.find(({ pathname }) => pathname === '/one-login-stand-in/logout')!
    assert.equal(there.searchParams.get('post_logout_redirect_uri'), `${config.baseUrl}/signed-out`)
    assert.match(page.text, /You have signed out/)
    assert.match((await browser.go('/inbox')).text, /Choose who to sign in as/)
    browser.cookies.set('digital-post', { value: copy, path: '/' })
    assert.equal((await browser.send(new URL('/inbox', config.baseUrl))).status, 303)
  })

  it('in one browser ends the sessions of all, as One Login tells us', async () => {
    const [home, work, other] = [new Browser(), new Browser(), new Browser()]
    const { csrfToken } = JSON.parse((await home.signIn('fay')).text)
    await work.signIn('fay')
    await other.signIn('ann')
    assert.equal((await work.go('/inbox')).url.pathname, '/inbox')
    await home.go('/sign-out', { csrf: csrfToken })
    assert.equal((await work.send(new URL('/inbox', config.baseUrl))).status, 303)
    assert.equal((await other.send(new URL('/inbox', config.baseUrl))).status, 200)
  })

  it('of somebody who is signed out already is no error', async () => {
    assert.equal((await new Browser().go('/sign-out', {})).url.pathname, '/signed-out')
  })
})

describe('A logout token from One Login', () => {
  type Change = { header?: object; claims?: object; key?: JsonWebKey }
  const event = { 'http://schemas.openid.net/event/backchannel-logout': {} }

  async function logoutToken(person: string, { header, claims, key }: Change = {}): Promise<string> {
    const { kid, ...jwk } = standInKey(config, 'one-login-stand-in')
    const now = Math.floor(Date.now() / 1000)
    const payload = {
      iss: `${config.baseUrl}/one-login-stand-in/`,
      sub: oneLoginSubject(person),
      aud: config.oneLogin.clientId,
      iat: now,
      exp: now + 120,
      jti: newId(),
      events: event,
      ...claims,
    }
    return new SignJWT(payload as JWTPayload)
      .setProtectedHeader({ typ: 'logout+jwt', alg: 'ES256', kid, ...header })
      .sign(createPrivateKey({ key: key ?? (jwk as JsonWebKey), format: 'jwk' }))
  }

  const post = (token: string | undefined) =>
    fetch(`${config.baseUrl}/one-login/back-channel-logout`, {
      method: 'POST',
      body: new URLSearchParams(token === undefined ? {} : { logout_token: token }),
    })

  it('ends every session of that person and of nobody else, once', async () => {
    const browsers = [new Browser(), new Browser(), new Browser()]
    for (const [index, browser] of browsers.entries()) await browser.signIn(index < 2 ? 'gil' : 'ann')
    const token = await logoutToken('gil')
    const answer = await post(token)
    assert.deepEqual([answer.status, await answer.text(), answer.headers.get('cache-control')], [200, '', 'no-store'])
    const statuses = await Promise.all(
      browsers.map(async (browser) => (await browser.send(new URL('/inbox', config.baseUrl))).status),
    )
    assert.deepEqual(statuses, [303, 303, 200])

    const again = new Browser()
    await again.signIn('gil')
    await post(token)
    assert.equal((await again.send(new URL('/inbox', config.baseUrl))).status, 200)
  })

  const past = Math.floor(Date.now() / 1000) - 3_600
  const wrong: [string, Change][] = [
    ['of another type', { header: { typ: 'JWT' } }],
    ['without a type', { header: { typ: undefined } }],
    ['by a key that is not known', { header: { kid: 'unknown' } }],
    ['signed by somebody else', { key: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }) }],
    ['of another issuer', { claims: { iss: 'https://evil.example/' } }],
    ['for another client', { claims: { aud: 'somebody-else' } }],
    ['that has expired', { claims: { iat: past, exp: past + 120 } }],
    ['without a time of issue', { claims: { iat: undefined } }],
    ['without an id', { claims: { jti: undefined } }],
    ['without a subject', { claims: { sub: undefined } }],
    ['without the event', { claims: { events: {} } }],
    ['with a nonce', { claims: { nonce: 'abc' } }],
  ]
  for (const [name, change] of wrong) {
    it(`${name} is refused`, async () => {
      const browser = new Browser()
      await browser.signIn('hal')
      const answer = await post(await logoutToken('hal', change))
      assert.deepEqual([answer.status, answer.headers.get('cache-control')], [400, 'no-store'])
      assert.equal((await browser.send(new URL('/inbox', config.baseUrl))).status, 200)
    })
  }

  it('that is none is refused', async () => {
    assert.equal((await post('nonsense')).status, 400)
    assert.equal((await post(undefined)).status, 400)
  })
})

describe('Signing in as staff', () => {
  it('opens the mailbox of the member’s organisation, for the member’s services', async () => {
    const organisation = await createParty(test.owner, { kind: 'public-body', name: 'Test Council' }, new Date())
    const [serviceId, staffId] = [newId(), newId()]
    await test.owner`insert into organisation (party_id, slug) values (${organisation.partyId}, 'test-council')`
    await test.owner`
      insert into service (id, slug, organisation_id, name) values (${serviceId}, 'test-service', ${organisation.partyId}, 'Test service')`
    await test.owner`
      insert into staff_member (id, organisation_id, subject, name)
      values (${staffId}, ${organisation.partyId}, 'staff-1', 'Sam Staff')`
    await test.owner`insert into staff_role (staff_id, service_id, role) values (${staffId}, ${serviceId}, 'post-reader')`
    const browser = new Browser()
    const page = await browser.signIn('staff-1', '/department')
    assert.equal(page.url.pathname, '/department')
    const { role, name, organisationName, actor, rights, csrfToken } = JSON.parse(page.text)
    assert.deepEqual([role, name, organisationName], ['staff', 'Sam Staff', 'Test Council'])
    assert.deepEqual([actor.partyId, actor.mailboxId], [organisation.partyId, organisation.mailboxId])
    assert.deepEqual(rights, [
      ['messages:read', [serviceId]],
      ['inbox:read', [serviceId]],
    ])
    assert.equal(actor.door, 'department-pages')
    assert.match((await browser.go('/inbox')).url.pathname, /^\/one-login-stand-in/)
    assert.equal((await browser.go('/department/sign-out', { csrf: csrfToken })).url.pathname, '/signed-out')
    assert.match((await browser.go('/department')).text, /Choose who to sign in as/)
  })

  it('says that an account is not registered, and whom to ask', async () => {
    const browser = new Browser()
    const page = await browser.choose(await browser.go('/department/sign-in'), { account: 'staff-2' })
    assert.equal(page.status, 403)
    assert.match(page.text, /not registered as staff/)
    assert.equal(browser.session, undefined)
  })

  it('passes the language that was chosen on to the provider, and says in it what went wrong', async () => {
    const browser = new Browser()
    const first = await browser.go('/department/sign-in?lang=cy')
    assert.deepEqual(
      first.via.filter(({ pathname }) => pathname.endsWith('/auth')).map((url) => url.searchParams.get('ui_locales')),
      ['cy'],
    )
    const page = await browser.choose(first, { account: 'staff-2' })
    assert.match(page.text, /<html lang="cy".*Nid yw’r cyfrif hwn wedi’i gofrestru fel staff.*Mewngofnodi gyda chyfrif arall/s)
  })
})

describe('Signing in as a registrar', () => {
  before(() => test.owner`insert into registrar (id, subject, name) values (${newId()}, 'registrar-1', 'Bo Dummyname')`)

  it('opens the register, and nothing of staff or people', async () => {
    const browser = new Browser()
    const page = await browser.signIn('registrar-1', '/registrar')
    assert.equal(page.url.pathname, '/registrar')
    const { kind, role, name, actor, csrfToken } = JSON.parse(page.text)
    assert.deepEqual([kind, role, name, actor.door], ['registrar', 'registrar', 'Bo Dummyname', 'registrar-pages'])
    assert.ok(browser.cookies.has('digital-post-registrar'))
    assert.equal(browser.session, undefined)
    assert.match((await browser.go('/inbox')).url.pathname, /^\/one-login-stand-in/)
    const department = await browser.go('/department')
    assert.deepEqual([department.status, /not registered as staff/.test(department.text)], [403, true])
    assert.equal((await browser.go('/registrar/sign-out', { csrf: csrfToken })).url.pathname, '/signed-out')
    assert.match((await browser.go('/registrar')).text, /Choose who to sign in as/)
  })

  it('is not for others, who can choose another account then', async () => {
    const browser = new Browser()
    const refused = await browser.choose(await browser.go('/registrar'), { account: 'staff-2' })
    assert.equal(refused.status, 403)
    assert.match(refused.text, /not registered as a registrar/)
    const [, again] = /href="(\/registrar\/sign-in\?other)"/.exec(refused.text)!
    // The provider has a session for the first account, which it ends by a form that a browser sends by itself.
    const between = await browser.choose(await browser.go(again!), { account: 'registrar-1' })
    const fields = [...between.text.matchAll(/name="(\w+)" value="([^"]*)"/g)].map(([, name, value]) => [name!, value!])
    const [, address] = /action="([^"]+)"/.exec(between.text)!
    assert.equal((await browser.go(address!, Object.fromEntries(fields))).url.pathname, '/registrar')
  })

  it('is over for a registrar who is switched off', async () => {
    const browser = new Browser()
    await browser.signIn('registrar-1', '/registrar')
    await test.owner`update registrar set is_active = false where subject = 'registrar-1'`
    assert.match((await browser.go('/registrar')).text, /not registered as a registrar/)
    await test.owner`update registrar set is_active = true where subject = 'registrar-1'`
  })
})

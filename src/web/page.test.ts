import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import fastify from 'fastify'
import { type Pages, startPages } from '../../test/pages.ts'
import { sendErrorPage } from './errors.ts'
import { setSecurityHeaders } from './security-headers.ts'

describe('every page', () => {
  let pages: Pages
  before(async () => {
    pages = await startPages({ at: new Date('2026-11-23T10:00:00Z') })
    pages.app.log.level = 'silent'
  })
  after(() => pages.stop())

  test('says who is signed in, and lets them sign out by a form', async () => {
    const person = (await pages.get('rosa', '/inbox')).body
    assert.match(person, /Signed in as Rosa Example/)
    assert.match(person, /<form method="post" action="\/sign-out"[^>]*>\s*<input type="hidden" name="csrf" value="[\w-]{43}">/)
    const staff = (await pages.get('staff', '/department')).body
    assert.match(staff, /Northfold Council/)
    assert.match(staff, /action="\/department\/sign-out"/)
    const nobody = (await pages.get('nobody', '/')).body
    assert.doesNotMatch(nobody, /Rosa|sign-out/)
    assert.match(nobody, /href="\/sign-in"/)
    assert.equal((await pages.get('rosa', '/')).headers.location, '/inbox')
  })

  test('has a policy under which nothing runs that is not ours', async () => {
    const { headers, body } = await pages.get('rosa', '/inbox')
    assert.equal(
      headers['content-security-policy'],
      "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; font-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    )
    assert.equal(headers['cache-control'], 'no-store')
    assert.equal(headers['referrer-policy'], 'no-referrer')
    assert.equal(headers['strict-transport-security'], undefined)
    assert.doesNotMatch(body, /<script>| style="|<style/)
  })

  test('over https, tells browsers to come by https only', async () => {
    const app = fastify()
    setSecurityHeaders(app, () => false, { baseUrl: 'https://post.example', formOrigins: [] })
    app.get('/', async () => 'x')
    assert.match(String((await app.inject('/')).headers['strict-transport-security']), /max-age=\d{8}/)
    await app.close()
  })

  test('loads our own look, kept for ever, with nothing that belongs to GOV.UK', async () => {
    const { body } = await pages.get('nobody', '/')
    const addresses = [...body.matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g)].map(([, address]) => address!)
    assert.deepEqual(addresses.map((address) => address.split('/').at(-1)).sort(), ['favicon.svg', 'post.css', 'start.js'])
    for (const address of addresses) {
      const answer = await pages.get('nobody', address)
      assert.equal(answer.statusCode, 200)
      assert.match(String(answer.headers['cache-control']), /immutable/)
      assert.ok(!/GDS Transport|@font-face|crest|url\(\/assets/.test(answer.body), address)
    }
    assert.doesNotMatch(body, /crown|govuk-header|govuk-logo/)
  })

  test('that fails shows a reference, and nothing of the failure', async () => {
    const lines: string[] = []
    const app = fastify({
      logger: { level: 'info', stream: { write: (line: string) => lines.push(line) } },
      genReqId: () => 'reference-1',
    })
    app.decorateRequest('signedIn', undefined)
    app.setErrorHandler((error, request, reply) => sendErrorPage(request, reply, error))
    app.get('/broken', async () => {
      throw new Error('secret detail')
    })
    app.get('/database', async () => {
      throw Object.assign(new Error('Key (name)=(Rosa) is there'), { name: 'PostgresError', code: '23505', detail: 'Rosa' })
    })
    const broken = await app.inject('/broken')
    assert.equal(broken.statusCode, 500)
    assert.match(broken.body, /something went wrong here.*reference-1/s)
    assert.doesNotMatch(broken.body, /secret detail/)
    assert.ok(lines.some((line) => line.includes('secret detail') && line.includes('reference-1')))
    lines.length = 0
    await app.inject('/database')
    assert.ok(lines.some((line) => line.includes('23505')))
    assert.ok(!lines.some((line) => line.includes('Rosa')), 'the log repeats no value')
    await app.close()
  })

  test('that is not there says where to go', async () => {
    const answer = await pages.get('rosa', '/nowhere')
    assert.equal(answer.statusCode, 404)
    assert.match(answer.body, /There is nothing here.*href="\/inbox"/s)
  })
})

import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { readConfig } from '../src/config.ts'
import { buildOneLoginStandIn } from '../src/sign-in/one-login-stand-in.ts'
import { freePort, startServer, type TestServer } from './server.ts'

/** A One Login elsewhere, which takes everybody for Priya and proves it, at an address of its own. */
async function startOneLogin(port: number, baseUrl: string, environment: Record<string, string>): Promise<Server> {
  const config = readConfig({ DEMO: 'true', BASE_URL: baseUrl, ...environment })
  const priya = { id: 'priya', givenNames: ['Priya'], familyName: 'Specimen', birthDate: '1999-12-02', note: '' }
  const { provider, path, documents } = buildOneLoginStandIn(config, [priya])
  const answer = provider.callback()
  const server = createServer(async (request, response) => {
    Object.assign(request, { originalUrl: request.url, url: request.url!.slice(path.length) })
    const { pathname } = new URL(request.url!, config.oneLogin.issuer)
    if (Object.hasOwn(documents, pathname)) {
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify(documents[pathname]))
    } else if (pathname.startsWith('/interaction/')) {
      const result = { login: { accountId: 'priya' }, identity: { proven: true } }
      response.writeHead(303, { location: await provider.interactionResult(request, response, result) }).end()
    } else await answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return server
}

describe('where ONE_LOGIN_ISSUER is set', () => {
  let server: TestServer
  let oneLogin: Server
  let issuer: string
  before(async () => {
    const [port, ourPort] = [await freePort(), await freePort()]
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    issuer = `http://127.0.0.1:${port}/elsewhere/`
    const environment = {
      ONE_LOGIN_ISSUER: issuer,
      ONE_LOGIN_CLIENT_ID: 'our-client-id',
      ONE_LOGIN_PRIVATE_KEY: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
      ONE_LOGIN_DID_URL: `${issuer}.well-known/did.json`,
    }
    const baseUrl = `http://127.0.0.1:${ourPort}`
    server = await startServer({ PORT: String(ourPort), BASE_URL: baseUrl, ...environment })
    oneLogin = await startOneLogin(port, baseUrl, environment)
  })
  after(async () => {
    oneLogin.close()
    await server.stop()
  })

  test('people sign in there, in demo too, and the stand-in is not there', async () => {
    const jar = new Map<string, string>()
    let url = `${server.baseUrl}/inbox`
    const seen: string[] = []
    for (let step = 0; step < 20; step += 1) {
      const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
      const response = await fetch(url, { redirect: 'manual', headers: { cookie } })
      for (const line of response.headers.getSetCookie()) {
        const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!
        jar.set(name!, value!)
      }
      seen.push(new URL(url).origin + new URL(url).pathname)
      const location = response.headers.get('location')
      if (location === null) {
        assert.equal(response.status, 200)
        assert.match(await response.text(), /Signed in as Priya Specimen/)
        break
      }
      url = new URL(location, url).href
    }
    assert.equal(seen.at(-1), `${server.baseUrl}/welcome`)
    assert.equal(seen.filter((address) => address === `${issuer}authorize`).length, 2, 'first who it is, then the proof')
    assert.equal((await fetch(`${server.baseUrl}/one-login-stand-in/.well-known/openid-configuration`)).status, 404)
  })
})

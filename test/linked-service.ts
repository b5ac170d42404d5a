import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'
import type { Database } from '../src/database/connect.ts'

type Key = Awaited<ReturnType<typeof generateKeyPair>>['privateKey']

/** A service's site elsewhere, with keys of its own. */
export type LinkedService = {
  issuer: string
  /** What it publishes; a test may change it. */
  keys: { kid: string; jwk: JWK; key: Key }[]
  /** How often its keys were fetched. */
  fetched: () => number
  /** Whether it answers. */
  isDown: boolean
  /** What its link address answers with, in HTML. */
  page: (request: string) => Promise<string>
  addKey: (kid: string) => Promise<void>
  sign: (typ: string, claims: Record<string, unknown>, change?: { kid?: string; key?: Key }) => Promise<string>
  /** Says in the registry that the service takes part, with this site. */
  declare: (owner: Database, slug: string) => Promise<void>
  stop: () => Promise<void>
}

export async function startLinkedService(host = 'localhost'): Promise<LinkedService> {
  let fetched = 0
  const server = createServer(
    (request, response) =>
      void answer(request).then(({ type, body, status = 200 }) => response.writeHead(status, { 'content-type': type }).end(body)),
  )
  const answer = async ({ url = '' }: IncomingMessage): Promise<{ type: string; body: string; status?: number }> => {
    if (service.isDown) return { type: 'text/plain', body: 'down', status: 503 }
    if (url === '/jwks.json') {
      fetched += 1
      return { type: 'application/json', body: JSON.stringify({ keys: service.keys.map(({ jwk }) => jwk) }) }
    }
    const request = new URL(url, service.issuer).searchParams.get('request') ?? ''
    return { type: 'text/html', body: `<!DOCTYPE html><title>A service</title>${await service.page(request)}` }
  }
  server.listen(0, host)
  await once(server, 'listening')
  const issuer = `http://${host}:${(server.address() as AddressInfo).port}`
  const service: LinkedService = {
    issuer,
    keys: [],
    isDown: false,
    fetched: () => fetched,
    page: async () => '',
    async addKey(kid) {
      const { privateKey, publicKey } = await generateKeyPair('ES256')
      service.keys.push({ kid, key: privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' } })
    },
    async sign(typ, claims, { kid = service.keys[0]!.kid, key } = {}) {
      const signing = key ?? service.keys.find((one) => one.kid === kid)!.key
      return new SignJWT({ iss: issuer, jti: randomUUID(), ...claims })
        .setProtectedHeader({ alg: 'ES256', kid, typ })
        .sign(signing)
    },
    async declare(owner, slug) {
      await owner`
        update service set linking_address = ${`${issuer}/link?from=post`}, linking_issuer = ${issuer}, linking_jwks_url = ${`${issuer}/jwks.json`},
          linking_name = 'Your account' where slug = ${slug}`
    },
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  await service.addKey('first')
  return service
}

import type { FastifyInstance } from 'fastify'
import { openDemoLinking } from '../../demo/demo-service.ts'
import { buildApp } from '../../src/app.ts'
import { type Config, readConfig } from '../../src/config.ts'
import { deriveIdentifierKeys } from '../../src/registry/identifier.ts'
import { readSchemes } from '../../src/registry/scheme.ts'
import { createTestDatabase, type TestDatabase } from '../database.ts'
import { sealAll } from '../seal-all.ts'
import { freePort } from '../server.ts'
import { writeDrafts } from './drafts.ts'
import { makeGrants } from './grants.ts'
import { type Letter, writeLetters } from './letters.ts'
import { buildParties } from './parties.ts'
import { keepRecords } from './records.ts'
import { keepSecrets, type Secrets } from './secrets.ts'
import { type SignedIn, signInAll } from './signed-in.ts'
import { listThings, type Things } from './things.ts'

/** The program with everybody and everything that the matrix asks about, each thing with secrets of its own. */
export type World = {
  app: FastifyInstance
  test: TestDatabase
  secrets: Secrets
  signedIn: SignedIn
  things: Things
  letters: readonly Letter[]
  /** Brings back what an attempt of somebody else has ended, as it is meant to. */
  restore: () => Promise<void>
  stop: () => Promise<void>
}

export async function buildWorld(): Promise<World> {
  const test = await createTestDatabase(10)
  const port = await freePort()
  const address = { PORT: String(port), HOST: '127.0.0.1', BASE_URL: `http://127.0.0.1:${port}` }
  const config: Config = readConfig({ DEMO: 'true', LOG_LEVEL: 'silent', DATABASE_URL: test.url, ...address })
  const { database, owner } = test
  const { secretKey } = config
  const keys = deriveIdentifierKeys(secretKey, readSchemes(config.identifierSchemes, config))
  const secrets = keepSecrets()
  const building = { database, owner, keys, secretKey, secrets, now: new Date() }
  const app = await buildApp(config, database)
  // For the stand-ins, which the program asks as it asks a provider elsewhere. Everybody else is injected.
  await app.listen({ host: config.host, port: config.port })
  const parties = await buildParties(building)
  await openDemoLinking(database, config.baseUrl)
  const grants = await makeGrants(building, parties)
  const letters = await writeLetters(building, parties, grants)
  const drafts = await writeDrafts(building, parties, grants, letters)
  const records = await keepRecords(building, parties)
  await sealAll(database, config, config.baseUrl, building.now)
  const signedIn = await signInAll(app, building, parties, grants)
  return {
    app,
    test,
    secrets,
    signedIn,
    letters,
    things: listThings({ parties, grants, letters, drafts, records }),
    restore: records.restore,
    async stop() {
      await app.close()
      await test.drop()
    },
  }
}

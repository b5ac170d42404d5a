import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { type Config, readConfig, SettingError } from './config.ts'
import { connect, type Database } from './database/connect.ts'
import { findEmbedded, startEmbedded } from './database/embedded.ts'
import { migrate } from './database/migrate.ts'
import { addressFor, bringRoles, connectOwner, deriveLogins } from './database/roles.ts'
import { surviveLostConnections } from './database/survive-lost-connections.ts'
import type { IdentifierKeys } from './registry/identifier.ts'

// Each command loads what it needs when it is run: to verify a receipt takes nothing of the rest.
const commands = {
  start,
  migrate: migrateOnly,
  register: registerFile,
  send: sendLetters,
  verify: verifyReceiptFile,
  audit: auditLog,
  'evidence-keys': makeEvidenceKeys,
  docs: makeDocs,
}

const usage = `Usage: node src/main.ts COMMAND

  start            run the program (npm start)
  migrate          bring the database to what this program expects, and end (npm run migrate)
  register FILE    bring public bodies, services, systems and staff to what a JSON file says (npm run register -- FILE)
  send PATH        send one letter, or a file or folder of them, to an installation by its API (npx digital-post send)
  verify FILE…     say whether a receipt is valid, and whether the other files are of its letter (npx digital-post verify FILE…)
  audit            work out from the database what the log of evidence says of it, and name what does not fit (npm run audit)
  evidence-keys    print new keys for evidence and its log, as EVIDENCE_KEYS_FILE wants them (npm run --silent evidence-keys)
  docs             write the pages of docs/ that are made from the code (npm run docs)
`

type OpenDatabase = {
  ownerUrl: string
  programUrl: string
  jobsUrl: string
  database: Database
  ran: string[]
  close: () => Promise<void>
}

/** As the owner of the tables, the database is brought to what this program expects; from then on the program is who it is to be. */
async function openDatabase(config: Config): Promise<OpenDatabase> {
  const embedded = config.databaseUrl === undefined ? await startEmbedded(config.dataDirectory) : undefined
  const url = config.databaseUrl ?? embedded!.url
  const owner = connectOwner(url, 1)
  const logins = deriveLogins(config.secretKey)
  let ran: string[]
  try {
    await owner`select 1`.catch((error) => {
      throw new SettingError(`DATABASE_URL is wrong, or its PostgreSQL does not answer: ${(error as Error).message}`)
    })
    ran = await migrate(owner)
    await bringRoles(owner, url, logins).catch((error) => {
      if (error.code !== '42501') throw error
      throw new SettingError(
        `DATABASE_URL is wrong: its user must be able to make the roles that the program logs in as (alter role … createrole), and own what is in the database; PostgreSQL says: ${error.message}`,
      )
    })
  } finally {
    await owner.end({ timeout: 5 })
  }
  const programUrl = addressFor(url, logins.program)
  const database = connect(programUrl, config.databaseConnections)
  return {
    ownerUrl: url,
    programUrl,
    jobsUrl: addressFor(url, logins.worker),
    database,
    ran,
    close: async () => {
      await database.end({ timeout: 5 })
      await embedded?.stop()
    },
  }
}

async function start(): Promise<void> {
  surviveLostConnections()
  const config = readConfig()
  const keys = await identifierKeys(config)
  await checkEvidence(config)
  await checkAlerts(config)
  const { buildApp } = await import('./app.ts')
  const { startWorker } = await import('./worker.ts')
  const { database, close, ...addresses } = await openDatabase(config)
  await checkFormerKeys(config, database).catch(async (error) => {
    await close()
    throw error
  })
  const app = await buildApp(config, database)
  if (config.demo) {
    const { fillDemoWorld } = await import('../demo/world.ts')
    const { openDemoPayments } = await import('../demo/demo-payments.ts')
    const { openDemoLinking } = await import('../demo/demo-service.ts')
    const { oneLoginSubject } = await import('./sign-in/stand-in.ts')
    await fillDemoWorld(database, keys, oneLoginSubject, new Date())
    await openDemoLinking(database, config.baseUrl)
    await openDemoPayments(database, config, new Date())
  }
  const worker = await startWorker(config, { database, ...addresses })
  let stopping = false
  const stop = async () => {
    if (stopping) return
    stopping = true
    // Requests that are under way are answered; then the connections and PostgreSQL itself are closed.
    await app.close()
    await worker.stop()
    await close()
    process.exit(0)
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  try {
    await app.listen({ port: config.port, host: config.host })
  } catch (error) {
    await worker.stop()
    await close()
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    throw new SettingError(`PORT is wrong: something else listens on port ${config.port} already. Set PORT to another one.`)
  }
  if (config.demo) console.log(welcome(config.baseUrl))
}

function welcome(baseUrl: string): string {
  return `
Digital Post is running, with a demo world in which everybody is invented.

  The citizen's pages      ${baseUrl}/              sign in as Rosa Example
  The department's pages   ${baseUrl}/department    sign in as Mel Placeholder
  The registrar's pages    ${baseUrl}/registrar     sign in as Bo Dummyname
  The API, described       ${baseUrl}/docs

Paste this to send Rosa a letter:

  curl -sS ${baseUrl}/v1/messages \\
    -H "Authorization: Bearer $(curl -sS -u demo-sender:demo-sender-secret -d grant_type=client_credentials \\
      ${baseUrl}/oauth/token | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')" \\
    -H 'Content-Type: application/json' \\
    -d '{"reference":"hello-'$(date +%s)'","service":"council-tax","recipient":{"scheme":"link","value":"CT-1001"},
         "subject":"Hello from your council","content":[{"language":"en","body":"This is **your first letter**."}],
         "reply":{"allowed":true}}'
`
}

async function migrateOnly(): Promise<void> {
  const { ran, close } = await openDatabase(readConfig())
  console.log(ran.length > 0 ? `Migrated: ${ran.join(', ')}` : 'The database was up to date.')
  await close()
}

async function registerFile(file?: string): Promise<void> {
  if (file === undefined) throw new SettingError('Which file? npm run register -- organisations.json')
  const config = readConfig()
  const keys = await identifierKeys(config)
  const declaration = readJson(file)
  const { scopes } = await import('./access/rights.ts')
  const { DeclarationError } = await import('./registry/declaration.ts')
  const { register } = await import('./registry/register.ts')
  const { database, close } = await openDatabase(config)
  const options = { scopes, demo: config.demo, rules: config.registration }
  await register(database, keys, declaration, options, new Date()).catch((error) => {
    throw error instanceof DeclarationError ? new SettingError(error.message) : error
  })
  console.log('Registered.')
  await close()
}

async function identifierKeys(config: Config): Promise<IdentifierKeys> {
  const { deriveIdentifierKeys } = await import('./registry/identifier.ts')
  const { readSchemes } = await import('./registry/scheme.ts')
  try {
    return deriveIdentifierKeys(config.secretKey, readSchemes(config.identifierSchemes, config))
  } catch (error) {
    throw new SettingError(`IDENTIFIER_SCHEMES_FILE is wrong: ${(error as Error).message}`)
  }
}

/** Before anything is opened, so that the start ends with a sentence. */
async function checkEvidence(config: Config): Promise<void> {
  const { openEvidence } = await import('./evidence/open-evidence.ts')
  try {
    openEvidence(config)
  } catch (error) {
    throw new SettingError((error as Error).message)
  }
}

/** A key that is left out of the file would be missed by whoever asks for a receipt, or checks one. */
async function checkFormerKeys(config: Config, database: Database): Promise<void> {
  const { findMissingKey } = await import('./evidence/find-missing-key.ts')
  const { openEvidence } = await import('./evidence/open-evidence.ts')
  const list = await findMissingKey(database, openEvidence(config).keys)
  if (list === undefined) return
  const did = list === 'formerSealKeys' ? 'sealed' : 'signed'
  throw new SettingError(
    `EVIDENCE_KEYS_FILE is wrong: the log was ${did} last with a key that is not in the file. Put its public key into ${list}; docs/running.md says how keys are changed.`,
  )
}

async function checkAlerts(config: Config): Promise<void> {
  const { openChannels } = await import('./alerts/open-channels.ts')
  try {
    openChannels(config)
  } catch (error) {
    throw new SettingError((error as Error).message)
  }
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(path.resolve(file), 'utf8'))
  } catch (error) {
    const why = error instanceof SyntaxError ? 'is no JSON' : 'cannot be read'
    throw new SettingError(`The file ${file} ${why}: ${(error as Error).message}`)
  }
}

async function verifyReceiptFile(...words: string[]): Promise<void> {
  const { verifyFiles } = await import('./evidence/verify-files.ts')
  const { exitCode, text } = await verifyFiles(words)
  const say = exitCode === 2 ? console.error : console.log
  say(text)
  process.exitCode = exitCode
}

/** How often the progress is written anew: where nobody watches, into a file say, seldom. */
const progressMs = { watched: 200, unwatched: 10_000 }

async function sendLetters(...words: string[]): Promise<void> {
  const { sendFiles } = await import('./api/client/send-files.ts')
  const isWatched = process.stderr.isTTY
  let shownAt = performance.now()
  process.exitCode = await sendFiles(words, {
    out: (text) => console.log(text),
    progress: (text) => {
      if (performance.now() - shownAt < (isWatched ? progressMs.watched : progressMs.unwatched)) return
      shownAt = performance.now()
      process.stderr.write(isWatched ? `\r${text}\x1b[K` : `${text}\n`)
    },
  })
  if (isWatched) process.stderr.write('\r\x1b[K')
}

async function makeEvidenceKeys(): Promise<void> {
  const { makeKeysFile } = await import('./evidence/keys.ts')
  console.log(JSON.stringify(makeKeysFile(), null, 2))
}

/** Beside a program that runs, or alone. Ends with 1 where something does not fit. */
async function auditLog(): Promise<void> {
  const config = readConfig()
  const { audit, auditKeysOf } = await import('./evidence/audit.ts')
  const { openEvidence } = await import('./evidence/open-evidence.ts')
  const running = config.databaseUrl ?? findEmbedded(config.dataDirectory)
  const embedded = running === undefined ? await startEmbedded(config.dataDirectory) : undefined
  const owner = connectOwner(running ?? embedded!.url, 2)
  try {
    const { events, checkpoints, findings } = await audit(
      owner,
      await auditKeysOf(owner, openEvidence(config)),
      config.evidence.years,
      new Date(),
    )
    for (const { what, ...about } of findings) console.error(what, about)
    console.log(
      `${events} events in ${checkpoints} checkpoints; ${findings.length === 0 ? 'everything fits' : `${findings.length} things do not fit`}.`,
    )
    process.exitCode = findings.length === 0 ? 0 : 1
  } finally {
    await owner.end({ timeout: 5 })
    await embedded?.stop()
  }
}

async function makeDocs(): Promise<void> {
  const { writeDocs } = await import('./docs.ts')
  for (const [file, text] of await writeDocs()) writeFileSync(path.join(import.meta.dirname, '..', file), text)
}

const [word = '', ...rest] = process.argv.slice(2)
if (!Object.hasOwn(commands, word)) {
  console.error(usage)
  process.exit(2)
}
try {
  await commands[word as keyof typeof commands](...(rest as []))
} catch (error) {
  // A setting that is wrong is said in one sentence; anything else is a fault, and shown whole.
  console.error(error instanceof SettingError ? error.message : error)
  process.exit(1)
}

import { createHash, createPrivateKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'

/** A setting that stops the start. Its message is one sentence that names the setting and says what to do. */
export class SettingError extends Error {}

/**
 * Every setting, by the name it has in the environment: what it means, its unit, and what holds when nothing is set.
 * `docs/settings.md` is made from this table (`npm run docs`).
 */
export const settings = {
  PORT: 'The port to listen on. Default 3000.',
  HOST: 'The address to listen on. Default localhost; 0.0.0.0 in a container.',
  BASE_URL:
    'Where people and systems reach this installation, without a slash at the end. Default http://localhost:PORT in demo; needed otherwise, and then https.',
  DATABASE_URL:
    'The PostgreSQL (15 or later) to use. Default: one that the program starts itself, with its data in DATA_DIRECTORY.',
  DATABASE_CONNECTIONS: 'How many connections to PostgreSQL this process opens at most. Default 10.',
  DATA_DIRECTORY: 'The folder for the program’s own PostgreSQL. Default data, beside package.json.',
  DEMO: 'true: an empty database is filled with a demo world, demo accounts and secrets work, and stand-ins sign people in. Default true when DATABASE_URL is not set, otherwise false.',
  SECRET_KEY:
    '32 random bytes in base64. Keys for identifiers, sessions and tokens are derived from it; losing it makes stored identifiers useless. Needed outside demo.',
  ONE_LOGIN_ISSUER:
    'The issuer of GOV.UK One Login, with its slash at the end. Needed outside demo; in demo, default the built-in stand-in.',
  ONE_LOGIN_CLIENT_ID: 'Our client id at One Login. Needed where ONE_LOGIN_ISSUER is set.',
  ONE_LOGIN_PRIVATE_KEY: 'Our RSA private key for One Login, in PEM. This or ONE_LOGIN_PRIVATE_KEY_FILE is needed outside demo.',
  ONE_LOGIN_PRIVATE_KEY_FILE: 'A file with our RSA private key for One Login, in PEM.',
  ONE_LOGIN_DID_URL:
    'Where One Login’s identity keys (did.json) are. Default: the address that belongs to a known ONE_LOGIN_ISSUER.',
  STAFF_ISSUER:
    'The OpenID provider at which staff of public bodies sign in. Needed outside demo; in demo, default the built-in stand-in.',
  STAFF_CLIENT_ID: 'Our client id at STAFF_ISSUER.',
  STAFF_CLIENT_SECRET: 'Our client secret at STAFF_ISSUER.',
  EVIDENCE_KEYS_FILE:
    'A JSON file with the private keys that seal evidence and sign its log. To make one: npm run --silent evidence-keys > keys.json. Needed outside demo; in demo, default keys that are derived from SECRET_KEY.',
  EVIDENCE_YEARS: 'For how many years evidence is kept, where nothing else is set for a public body. Default 7.',
  LOG_BEAT_MS: 'How often what has happened is put into the log of evidence, in milliseconds. Default 1000.',
  LOG_WITNESSES:
    'Who cosigns the log’s checkpoints (c2sp.org/tlog-witness). Of each witness, its address (what comes before /add-checkpoint), a space and its verifier key; commas between witnesses. Default none; in demo, the built-in stand-in.',
  TIME_STAMP_URL:
    'The time-stamp authority (RFC 3161) that is asked to stamp the log’s checkpoints. Default none; in demo, the built-in stand-in.',
  TIME_STAMP_CERTIFICATE_FILE:
    'A file with the certificate to which the authority’s time stamps must lead, in PEM; it may hold several. Needed where TIME_STAMP_URL is set.',
  OUTAGE_SECONDS:
    'After how many seconds in which no process could take and show post that is noted as an outage, with evidence of its begin and end. Default 60.',
  PENDING_MINUTES:
    'After how many minutes a letter that was accepted and is not available yet is named in the reconciliation. Default 60.',
  SESSION_IDLE_MINUTES: 'After how many minutes without a page a person is signed out. Default 30.',
  SESSION_ABSOLUTE_MINUTES: 'After how many minutes a person is signed out in any case. Default 480.',
  REGISTRATION_BASIS:
    'law: everybody who has a mailbox can be written to. consent: only for the categories of post that they consent to. For mailboxes that are opened from then on. Default law.',
  REGISTRATION_AGE: 'From which age, in years, a person gets a mailbox. Default 15.',
  BUSINESS_GRACE_DAYS:
    'For how many days nobody can write to a new business, unless its administrator signs in before. Default 12.',
  REOPEN_DAYS: 'For how many days a registrar can open a mailbox again that was closed in error. Default 30.',
  KEPT_YEARS_AFTER_DEATH: 'For how many years the content of a mailbox is kept after a death. Default 5.',
  KEPT_YEARS_AFTER_CLOSURE: 'For how many years the content of a mailbox is kept after any other closure. Default 10.',
  IDENTIFIER_SCHEMES_FILE:
    'A JSON file with the identifier schemes of this installation, in place of those of the United Kingdom: [{scheme, name, names, pattern, dropped, length, check}].',
  LOOKUPS_PER_MINUTE: 'How many recipients each service may look up in a minute. Default 60000.',
  LOOKUPS_PER_DAY: 'How many recipients each service may look up in a day. Default 2000000.',
  LETTERS_PER_SECOND:
    'How many letters each service may send in a second by the API and in mailings, through each process, where the declaration says nothing else; a tenth is for single letters alone. Default 10000.',
  LETTERS_PER_DAY:
    'How many letters each service may send in a day (UTC) by the API and in mailings, where the declaration says nothing else; a tenth is for single letters alone. Default 50000000.',
  WRITING_FILES: 'How many files people may send with a message, where a contact point says nothing else. Default 10.',
  WRITING_MEGABYTES:
    'How large the files that people send with a message may be together, in MB, where a contact point says nothing else. Default 10.',
  UPLOAD_MEGABYTES: 'How large a document may be that a service uploads before it is sent, in MB. Default 100, at most 500.',
  UPLOAD_DAYS: 'After how many days an upload goes that no letter has. Default 14.',
  PAY_URL: 'Where the API of GOV.UK Pay is. Default https://publicapi.payments.service.gov.uk; in demo, the built-in stand-in.',
  BIN_DAYS: 'For how many days letters are kept in the bin before they are erased from the mailbox. Default 30.',
  NOTIFY_API_KEY:
    'Our API key at GOV.UK Notify, by which email and SMS go out. Default none; in demo, where SMTP_URL is not set either, the built-in stand-in, whose messages are at /demo/outbox.',
  NOTIFY_URL: 'Where GOV.UK Notify is. Default https://api.notifications.service.gov.uk.',
  NOTIFY_TEMPLATES:
    'Which template at GOV.UK Notify has which text of src/alerts/message-texts.ts: name.language=id, with commas between them. Needed where NOTIFY_API_KEY is set.',
  SMTP_URL:
    'The mail server by which email goes out, in place of GOV.UK Notify: smtps://user:password@host, or smtp:// with STARTTLS. Default none.',
  SMTP_FROM:
    'The address that email comes from by SMTP_URL, such as Digital Post <post@example.org>. Needed where SMTP_URL is set.',
  SUPPORT_EMAIL: 'Where people can write to whoever runs the service, as the pages of help say. Default none.',
  SERVICE_NAME: 'What the mailbox is called on its pages. Default Digital Post.',
  TRUST_PROXY: 'true behind a proxy that sets X-Forwarded-For and X-Forwarded-Proto. Default false.',
  LOG_LEVEL: 'fatal, error, warn, info, debug or silent. Default info.',
} as const

export type Setting = keyof typeof settings
type Environment = Readonly<Record<string, string | undefined>>

export type Config = {
  port: number
  host: string
  /** Without a slash at the end. */
  baseUrl: string
  databaseUrl: string | undefined
  databaseConnections: number
  dataDirectory: string
  demo: boolean
  secretKey: Buffer
  /** `issuer` undefined means the built-in stand-in, which exists in demo only. */
  oneLogin: { issuer: string | undefined; clientId: string; privateKey: KeyObject; didUrl: string | undefined }
  staff: { issuer: string | undefined; clientId: string; clientSecret: string }
  evidence: {
    /** As the file has them, not checked yet (evidence/keys.ts). Undefined in demo only: they are derived then. */
    keys: unknown
    beatMs: number
    years: number
    /** Without a slash at the end of `url`. `key` undefined means the built-in stand-in, which exists in demo only. */
    witnesses: { url: string; key: string | undefined }[]
    /** In PEM. No certificates means the built-in stand-in, which exists in demo only. */
    timeStamp: { url: string; certificates: string[] } | undefined
  }
  /** By which messages go out. `templates` undefined means the built-in stand-in, which exists in demo only. */
  alerts: {
    notify: { url: string; serviceId: string; secret: string; templates: Record<string, string> | undefined } | undefined
    smtp: { url: string; from: string } | undefined
  }
  supportEmail: string | undefined
  outageSeconds: number
  pendingMinutes: number
  sessionIdleMinutes: number
  sessionAbsoluteMinutes: number
  writingFiles: number
  writingMegabytes: number
  binDays: number
  registration: {
    basis: 'law' | 'consent'
    age: number
    businessGraceDays: number
    reopenDays: number
    yearsKeptAfterDeath: number
    yearsKeptAfterClosure: number
  }
  /** As the file has them, not checked yet (registry/scheme.ts). Undefined is those of the United Kingdom. */
  identifierSchemes: unknown
  lookups: { perMinute: number; perDay: number }
  /** Without a slash at the end of `url`. */
  pay: { url: string; isStandIn: boolean }
  letters: { perSecond: number; perDay: number }
  uploads: { bytes: number; days: number }
  serviceName: string
  trustProxy: boolean
  logLevel: string
}

/** The identity hosts of GOV.UK One Login, which differ from the issuer's (its technical documentation, "Validate the core identity"). */
const didUrls: Record<string, string> = {
  'https://oidc.account.gov.uk/': 'https://identity.account.gov.uk/.well-known/did.json',
  'https://oidc.integration.account.gov.uk/': 'https://identity.integration.account.gov.uk/.well-known/did.json',
}

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'silent']

/** Reads all settings, once, before anything else. Throws a SettingError for the first that is missing or wrong. */
export function readConfig(environment: Environment = process.env): Config {
  const text = (name: Setting) => environment[name]?.trim() || undefined
  const databaseUrl = text('DATABASE_URL')
  const demo = flag('DEMO', text('DEMO'), databaseUrl === undefined)
  const needed = (name: Setting, demoValue: string): string => {
    const value = text(name)
    if (value !== undefined) return value
    if (demo) return demoValue
    throw new SettingError(`${name} is not set, and is needed when DEMO is not true: ${settings[name]}`)
  }
  const port = wholeNumber('PORT', text('PORT'), 3000, 0, 65_535)
  if (databaseUrl !== undefined && !/^postgres(ql)?:\/\//.test(databaseUrl)) {
    throw new SettingError('DATABASE_URL is wrong: it begins with postgres:// or postgresql://.')
  }
  const baseUrl = webAddress('BASE_URL', needed('BASE_URL', `http://localhost:${port}`), demo).replace(/\/$/, '')
  const logLevel = text('LOG_LEVEL') ?? 'info'
  if (!logLevels.includes(logLevel)) throw new SettingError(`LOG_LEVEL is wrong: it is one of ${logLevels.join(', ')}.`)

  return {
    port,
    host: text('HOST') ?? 'localhost',
    baseUrl,
    databaseUrl,
    databaseConnections: wholeNumber('DATABASE_CONNECTIONS', text('DATABASE_CONNECTIONS'), 10, 2, 1_000),
    dataDirectory: path.resolve(text('DATA_DIRECTORY') ?? path.join(import.meta.dirname, '..', 'data')),
    demo,
    secretKey: secretKey(needed('SECRET_KEY', demoSecretKey)),
    oneLogin: readOneLogin(text, demo),
    staff: readStaff(text, needed, demo),
    evidence: readEvidence(text, baseUrl, demo),
    alerts: readAlerts(text, baseUrl, demo),
    supportEmail: readSupportEmail(text),
    outageSeconds: wholeNumber('OUTAGE_SECONDS', text('OUTAGE_SECONDS'), 60, 30, 86_400),
    pendingMinutes: wholeNumber('PENDING_MINUTES', text('PENDING_MINUTES'), 60, 1, 100_000),
    sessionIdleMinutes: wholeNumber('SESSION_IDLE_MINUTES', text('SESSION_IDLE_MINUTES'), 30, 1, 24 * 60),
    sessionAbsoluteMinutes: wholeNumber('SESSION_ABSOLUTE_MINUTES', text('SESSION_ABSOLUTE_MINUTES'), 480, 1, 24 * 60),
    registration: readRegistration(text),
    identifierSchemes: readJsonFile('IDENTIFIER_SCHEMES_FILE', text),
    lookups: {
      perMinute: wholeNumber('LOOKUPS_PER_MINUTE', text('LOOKUPS_PER_MINUTE'), 60_000, 1, 10_000_000),
      perDay: wholeNumber('LOOKUPS_PER_DAY', text('LOOKUPS_PER_DAY'), 2_000_000, 1, 1_000_000_000),
    },
    letters: {
      perSecond: wholeNumber('LETTERS_PER_SECOND', text('LETTERS_PER_SECOND'), 10_000, 1, 1_000_000),
      perDay: wholeNumber('LETTERS_PER_DAY', text('LETTERS_PER_DAY'), 50_000_000, 1, 10_000_000_000),
    },
    uploads: {
      bytes: wholeNumber('UPLOAD_MEGABYTES', text('UPLOAD_MEGABYTES'), 100, 1, 500) * 1024 * 1024,
      days: wholeNumber('UPLOAD_DAYS', text('UPLOAD_DAYS'), 14, 1, 365),
    },
    writingFiles: wholeNumber('WRITING_FILES', text('WRITING_FILES'), 10, 0, 50),
    writingMegabytes: wholeNumber('WRITING_MEGABYTES', text('WRITING_MEGABYTES'), 10, 1, 25),
    pay: readPay(text, baseUrl, demo),
    binDays: wholeNumber('BIN_DAYS', text('BIN_DAYS'), 30, 1, 3_650),
    serviceName: text('SERVICE_NAME') ?? 'Digital Post',
    trustProxy: flag('TRUST_PROXY', text('TRUST_PROXY'), false),
    logLevel,
  }
}

/** Known to everybody, like all the demo's secrets: so that a demo database can be opened again by any start of the demo. */
const demoSecretKey = createHash('sha256').update('the demo of Digital Post').digest('base64')

type Text = (name: Setting) => string | undefined

function readOneLogin(text: Text, demo: boolean): Config['oneLogin'] {
  const issuer = text('ONE_LOGIN_ISSUER')
  if (issuer === undefined && !demo) {
    throw new SettingError(`ONE_LOGIN_ISSUER is not set, and is needed when DEMO is not true: ${settings.ONE_LOGIN_ISSUER}`)
  }
  if (issuer !== undefined) webAddress('ONE_LOGIN_ISSUER', issuer, demo)
  const clientId = text('ONE_LOGIN_CLIENT_ID')
  if (issuer !== undefined && clientId === undefined) {
    throw new SettingError('ONE_LOGIN_CLIENT_ID is not set, and is needed where ONE_LOGIN_ISSUER is.')
  }
  const didUrl = text('ONE_LOGIN_DID_URL') ?? didUrls[issuer ?? '']
  if (issuer !== undefined && didUrl === undefined) {
    throw new SettingError('ONE_LOGIN_DID_URL is not set, and is needed for an ONE_LOGIN_ISSUER that is not GOV.UK’s own.')
  }
  if (didUrl !== undefined) webAddress('ONE_LOGIN_DID_URL', didUrl, demo)
  return { issuer, clientId: clientId ?? 'digital-post', privateKey: oneLoginKey(text, demo), didUrl }
}

function oneLoginKey(text: Text, demo: boolean): KeyObject {
  const name = text('ONE_LOGIN_PRIVATE_KEY_FILE') ? 'ONE_LOGIN_PRIVATE_KEY_FILE' : 'ONE_LOGIN_PRIVATE_KEY'
  let pem = text('ONE_LOGIN_PRIVATE_KEY')
  const file = text('ONE_LOGIN_PRIVATE_KEY_FILE')
  if (file !== undefined) {
    try {
      pem = readFileSync(file, 'utf8')
    } catch {
      throw new SettingError('ONE_LOGIN_PRIVATE_KEY_FILE is wrong: the file that it names cannot be read.')
    }
  }
  if (pem === undefined) {
    if (demo) return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
    throw new SettingError('ONE_LOGIN_PRIVATE_KEY or ONE_LOGIN_PRIVATE_KEY_FILE is needed when DEMO is not true.')
  }
  try {
    // A PEM in one line of the environment has its line ends written as \n.
    const key = createPrivateKey(pem.replaceAll('\\n', '\n'))
    if (key.asymmetricKeyType === 'rsa') return key
  } catch {
    // Said below, without repeating anything of the key.
  }
  throw new SettingError(`${name} is wrong: it holds no RSA private key in PEM (One Login takes no other kind).`)
}

function readStaff(text: Text, needed: (name: Setting, demoValue: string) => string, demo: boolean): Config['staff'] {
  const issuer = text('STAFF_ISSUER')
  if (issuer === undefined) {
    if (!demo) throw new SettingError(`STAFF_ISSUER is not set, and is needed when DEMO is not true: ${settings.STAFF_ISSUER}`)
    return { issuer, clientId: 'digital-post', clientSecret: 'demo-staff-secret' }
  }
  webAddress('STAFF_ISSUER', issuer, demo)
  return {
    issuer,
    clientId: needed('STAFF_CLIENT_ID', 'digital-post'),
    clientSecret: needed('STAFF_CLIENT_SECRET', 'demo-staff-secret'),
  }
}

function readEvidence(text: Text, baseUrl: string, demo: boolean): Config['evidence'] {
  const keys = readJsonFile('EVIDENCE_KEYS_FILE', text)
  if (keys === undefined && !demo) {
    throw new SettingError(`EVIDENCE_KEYS_FILE is not set, and is needed when DEMO is not true: ${settings.EVIDENCE_KEYS_FILE}`)
  }
  const witnesses = (text('LOG_WITNESSES')?.split(',') ?? []).map((witness) => {
    const [url = '', key = '', ...more] = witness.trim().split(/\s+/)
    const isKey = /^[^+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}$/.test(key)
    if (more.length === 0 && isKey) return { url: webAddress('LOG_WITNESSES', url, demo).replace(/\/$/, ''), key }
    throw new SettingError('LOG_WITNESSES is wrong: of each witness it has the address, a space and the verifier key.')
  })
  return {
    keys,
    beatMs: wholeNumber('LOG_BEAT_MS', text('LOG_BEAT_MS'), 1_000, 50, 60_000),
    years: wholeNumber('EVIDENCE_YEARS', text('EVIDENCE_YEARS'), 7, 1, 100),
    witnesses: witnesses.length === 0 && demo ? [{ url: `${baseUrl}/demo/witness`, key: undefined }] : witnesses,
    timeStamp: readTimeStamp(text, baseUrl, demo),
  }
}

function readTimeStamp(text: Text, baseUrl: string, demo: boolean): Config['evidence']['timeStamp'] {
  const url = text('TIME_STAMP_URL')
  const certificates = readCertificates('TIME_STAMP_CERTIFICATE_FILE', text)
  if (url === undefined) {
    if (certificates) throw new SettingError('TIME_STAMP_URL is not set, and is needed where TIME_STAMP_CERTIFICATE_FILE is.')
    return demo ? { url: `${baseUrl}/demo/time-stamp`, certificates: [] } : undefined
  }
  if (certificates) return { url: webAddress('TIME_STAMP_URL', url, demo), certificates }
  throw new SettingError('TIME_STAMP_CERTIFICATE_FILE is not set, and is needed where TIME_STAMP_URL is.')
}

function readAlerts(text: Text, baseUrl: string, demo: boolean): Config['alerts'] {
  const smtp = readSmtp(text)
  const key = text('NOTIFY_API_KEY')
  if (key === undefined) {
    // Known to everybody, as all secrets of a demo.
    const standIn = {
      url: `${baseUrl}/demo/notify`,
      serviceId: '00000000-0000-4000-8000-000000000001',
      secret: 'demo-notify-secret',
    }
    return { smtp, notify: demo && smtp === undefined ? { ...standIn, templates: undefined } : undefined }
  }
  // A name, the id of our service and the secret, as Notify's own clients read it.
  const [, serviceId, secret] = /([0-9a-f-]{36})-([0-9a-f-]{36})$/.exec(key) ?? []
  if (serviceId === undefined || secret === undefined)
    throw new SettingError(
      'NOTIFY_API_KEY is wrong: it is a name, the id of the service and the secret, with hyphens between them.',
    )
  const url = webAddress('NOTIFY_URL', text('NOTIFY_URL') ?? 'https://api.notifications.service.gov.uk', demo).replace(/\/$/, '')
  const pairs = (text('NOTIFY_TEMPLATES')?.split(',') ?? []).map((pair) => {
    const [, name, id] = /^\s*([\w-]+\.(?:en|cy))=([0-9a-f-]{36})\s*$/.exec(pair) ?? []
    if (name === undefined || id === undefined)
      throw new SettingError('NOTIFY_TEMPLATES is wrong: it is name.language=id, with commas between them.')
    return [name, id] as const
  })
  return { smtp, notify: { url, serviceId, secret, templates: Object.fromEntries(pairs) } }
}

function readSmtp(text: Text): Config['alerts']['smtp'] {
  const [url, from] = [text('SMTP_URL'), text('SMTP_FROM')]
  if (url === undefined) return undefined
  if (!/^smtps?:\/\/[^/\s]+/.test(url) || !URL.canParse(url))
    throw new SettingError('SMTP_URL is wrong: it begins with smtps:// or smtp://, and names a mail server.')
  if (from === undefined) throw new SettingError('SMTP_FROM is not set, and is needed where SMTP_URL is.')
  if (!/^([^<>@]*<[^\s<>@]+@[^\s<>@]+>|[^\s<>@]+@[^\s<>@]+)$/.test(from))
    throw new SettingError('SMTP_FROM is wrong: it is an email address, or a name and one in < >.')
  return { url, from }
}

function readSupportEmail(text: Text): string | undefined {
  const address = text('SUPPORT_EMAIL')
  if (address === undefined || /^[^\s<>@"]+@[^\s<>@"]+$/.test(address)) return address
  throw new SettingError('SUPPORT_EMAIL is wrong: it is an email address.')
}

function readCertificates(name: Setting, text: Text): string[] | undefined {
  const file = text(name)
  if (file === undefined) return undefined
  try {
    const found = readFileSync(file, 'utf8').match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)
    if (found) return found.map((pem) => new X509Certificate(pem).toString())
  } catch {
    // Said below.
  }
  throw new SettingError(`${name} is wrong: the file that it names cannot be read, or holds no certificate in PEM.`)
}

function readPay(text: Text, baseUrl: string, demo: boolean): Config['pay'] {
  const url = text('PAY_URL')
  if (url !== undefined) return { url: webAddress('PAY_URL', url, demo).replace(/\/$/, ''), isStandIn: false }
  return demo
    ? { url: `${baseUrl}/demo/pay`, isStandIn: true }
    : { url: 'https://publicapi.payments.service.gov.uk', isStandIn: false }
}

function readRegistration(text: Text): Config['registration'] {
  const basis = text('REGISTRATION_BASIS') ?? 'law'
  if (basis !== 'law' && basis !== 'consent') throw new SettingError('REGISTRATION_BASIS is wrong: it is law or consent.')
  const number = (name: Setting, otherwise: number, max: number) => wholeNumber(name, text(name), otherwise, 0, max)
  return {
    basis,
    age: number('REGISTRATION_AGE', 15, 120),
    businessGraceDays: number('BUSINESS_GRACE_DAYS', 12, 365),
    reopenDays: number('REOPEN_DAYS', 30, 3_650),
    yearsKeptAfterDeath: number('KEPT_YEARS_AFTER_DEATH', 5, 100),
    yearsKeptAfterClosure: number('KEPT_YEARS_AFTER_CLOSURE', 10, 100),
  }
}

function readJsonFile(name: Setting, text: Text): unknown {
  const file = text(name)
  if (file === undefined) return undefined
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    throw new SettingError(`${name} is wrong: the file that it names cannot be read, or is no JSON.`)
  }
}

function flag(name: Setting, value: string | undefined, otherwise: boolean): boolean {
  if (value === undefined) return otherwise
  if (value === 'true' || value === 'false') return value === 'true'
  throw new SettingError(`${name} is wrong: it is true or false.`)
}

function wholeNumber(name: Setting, value: string | undefined, otherwise: number, min: number, max: number): number {
  if (value === undefined) return otherwise
  const number = Number(value)
  if (/^\d+$/.test(value) && number >= min && number <= max) return number
  throw new SettingError(`${name} is wrong: it is a whole number from ${min} to ${max}.`)
}

/** Plain http goes only to this machine itself, and only in demo. */
function webAddress(name: Setting, value: string, demo: boolean): string {
  const url = URL.parse(value)
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new SettingError(`${name} is wrong: it is an address that begins with https://.`)
  if (url.search || url.hash || url.username) throw new SettingError(`${name} is wrong: it has no user, question mark or hash.`)
  const loopback = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
  if (url.protocol === 'http:' && !(demo && loopback)) {
    throw new SettingError(
      `${name} is wrong: plain http is only for this machine itself (localhost), and only when DEMO is true.`,
    )
  }
  return value
}

function secretKey(value: string): Buffer {
  const key = Buffer.from(value, 'base64')
  if (key.length === 32) return key
  throw new SettingError('SECRET_KEY is wrong: it is 32 random bytes in base64 (openssl rand -base64 32).')
}

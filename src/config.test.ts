import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, describe, test } from 'node:test'
import { makeTimeStampAuthorityKeys } from '../demo/time-stamp-authority.ts'
import { readConfig, type Setting, SettingError, settings } from './config.ts'

const inPem = { type: 'pkcs8', format: 'pem' } as const
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const rsaPem = rsa.privateKey.export(inPem).toString()
const ecPem = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export(inPem).toString()

const folder = mkdtempSync(path.join(tmpdir(), 'dp-'))
after(() => rmSync(folder, { recursive: true }))
const inFolder = (name: string, text: string) => {
  writeFileSync(path.join(folder, name), text)
  return path.join(folder, name)
}
const noCertificate = inFolder('no-certificate.pem', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n')
const { certificatePem } = await makeTimeStampAuthorityKeys(new Date('2026-11-26T10:00:00Z'))
const certificates = inFolder('certificates.pem', `The one\n${certificatePem}and again\n${certificatePem}`)
const witness = 'witness.example/w1+97c0aad1+BDcZNkOeMrZ8wPVvHMA2ZOMVZM2w22eIlwyCJdFxyF2B'

const templateId = '6f1a7b1e-6f1a-4b1e-8f1a-6f1a7b1e6f1a'
const notifyKey = `digital-post-${templateId}-0b4a5000-0b4a-4b4a-8b4a-0b4a50000b4a`

const production = {
  BASE_URL: 'https://post.example/',
  DATABASE_URL: 'postgres://post:secret-word@db.example/post',
  SECRET_KEY: Buffer.alloc(32, 7).toString('base64'),
  ONE_LOGIN_ISSUER: 'https://oidc.account.gov.uk/',
  ONE_LOGIN_CLIENT_ID: 'our-id',
  ONE_LOGIN_PRIVATE_KEY: rsaPem,
  STAFF_ISSUER: 'https://staff.example',
  STAFF_CLIENT_ID: 'staff-id',
  STAFF_CLIENT_SECRET: 'staff-secret',
  EVIDENCE_KEYS_FILE: inFolder('keys.json', '{"seal":"here"}'),
}
const demo = { DEMO: 'true' }

type Environment = Partial<Record<Setting, string | undefined>>

/** The sentence that stops the start. */
function refusal(environment: Environment): string {
  try {
    readConfig(environment)
  } catch (error) {
    assert.ok(error instanceof SettingError, String(error))
    return error.message
  }
  return assert.fail(`taken: ${JSON.stringify(environment)}`)
}

describe('the settings', () => {
  test('need nothing for a demo', () => {
    const { secretKey, oneLogin, dataDirectory, ...config } = readConfig({})
    assert.deepEqual(config, {
      port: 3000,
      host: 'localhost',
      baseUrl: 'http://localhost:3000',
      databaseUrl: undefined,
      databaseConnections: 10,
      demo: true,
      staff: { issuer: undefined, clientId: 'digital-post', clientSecret: 'demo-staff-secret' },
      evidence: {
        keys: undefined,
        beatMs: 1_000,
        years: 7,
        witnesses: [{ url: 'http://localhost:3000/demo/witness', key: undefined }],
        timeStamp: { url: 'http://localhost:3000/demo/time-stamp', certificates: [] },
      },
      alerts: {
        smtp: undefined,
        notify: {
          url: 'http://localhost:3000/demo/notify',
          serviceId: '00000000-0000-4000-8000-000000000001',
          secret: 'demo-notify-secret',
          templates: undefined,
        },
      },
      supportEmail: undefined,
      outageSeconds: 60,
      pendingMinutes: 60,
      sessionIdleMinutes: 30,
      sessionAbsoluteMinutes: 480,
      registration: {
        basis: 'law',
        age: 15,
        businessGraceDays: 12,
        reopenDays: 30,
        yearsKeptAfterDeath: 5,
        yearsKeptAfterClosure: 10,
      },
      identifierSchemes: undefined,
      lookups: { perMinute: 60_000, perDay: 2_000_000 },
      letters: { perSecond: 10_000, perDay: 50_000_000 },
      uploads: { bytes: 104_857_600, days: 14 },
      writingFiles: 10,
      writingMegabytes: 10,
      binDays: 30,
      pay: { url: 'http://localhost:3000/demo/pay', isStandIn: true },
      serviceName: 'Digital Post',
      trustProxy: false,
      logLevel: 'info',
    })
    assert.equal(dataDirectory, path.join(import.meta.dirname, '..', 'data'))
    assert.deepEqual([oneLogin.issuer, oneLogin.didUrl, oneLogin.privateKey.asymmetricKeyType], [undefined, undefined, 'rsa'])
    assert.deepEqual(secretKey, readConfig({ PORT: '8080' }).secretKey, 'a demo can be started again')
    assert.equal(readConfig({ PORT: '8080' }).baseUrl, 'http://localhost:8080')
    assert.deepEqual(readConfig({ PORT: ' ', HOST: '' }).port, 3000, 'an empty setting is not set')
  })

  test('mean production where a database is named', () => {
    const config = readConfig(production)
    assert.equal(config.demo, false)
    assert.equal(config.baseUrl, 'https://post.example')
    assert.deepEqual(config.secretKey, Buffer.alloc(32, 7))
    assert.deepEqual(config.staff, { issuer: 'https://staff.example', clientId: 'staff-id', clientSecret: 'staff-secret' })
    assert.equal(config.oneLogin.didUrl, 'https://identity.account.gov.uk/.well-known/did.json')
    assert.ok(config.oneLogin.privateKey.equals(rsa.privateKey))
    assert.deepEqual(config.evidence, { keys: { seal: 'here' }, beatMs: 1_000, years: 7, witnesses: [], timeStamp: undefined })
    assert.equal(readConfig({ ...demo, DATABASE_URL: production.DATABASE_URL }).demo, true)
  })

  const needed = Object.keys(production).filter((name) => name !== 'DATABASE_URL') as (keyof typeof production)[]
  for (const name of needed) {
    test(`stop the start outside demo without ${name}`, () => {
      assert.ok(refusal({ ...production, [name]: undefined }).startsWith(name))
      assert.ok(refusal({ ...production, [name]: '  ' }).startsWith(name))
    })
  }

  const addresses = ['BASE_URL', 'ONE_LOGIN_ISSUER', 'ONE_LOGIN_DID_URL', 'STAFF_ISSUER'] as const
  const badAddresses = [
    'post.example',
    'ftp://post.example/',
    'https:///',
    'https://user:pass@post.example',
    'https://post.example/?x=1',
    'https://post.example/#there',
    'http://post.example/',
    'http://localhost:3000/',
    'javascript:alert(1)',
  ]
  /** What each needs beside it. */
  const beside: Partial<Record<Setting, Environment>> = {
    TIME_STAMP_URL: { TIME_STAMP_CERTIFICATE_FILE: certificates },
    NOTIFY_URL: { NOTIFY_API_KEY: notifyKey },
    NOTIFY_TEMPLATES: { NOTIFY_API_KEY: notifyKey },
    SMTP_FROM: { SMTP_URL: 'smtps://mail.example' },
  }
  const minutes = ['0', '1441', 'half']
  const wrong: Partial<Record<Setting, readonly string[]>> = {
    PORT: ['65536', '-1', '80.5', '0x50', '3000 3001', 'http'],
    DATABASE_CONNECTIONS: ['1', '1001', 'many'],
    SESSION_IDLE_MINUTES: minutes,
    SESSION_ABSOLUTE_MINUTES: minutes,
    WRITING_FILES: ['-1', '51', 'many'],
    WRITING_MEGABYTES: ['0', '26', '1.5'],
    PAY_URL: ['publicapi.payments.service.gov.uk', 'ftp://pay.example'],
    BIN_DAYS: ['0', '3651', 'many'],
    REGISTRATION_BASIS: ['both', 'Law'],
    REGISTRATION_AGE: ['121', 'fifteen'],
    BUSINESS_GRACE_DAYS: ['366', '-1'],
    REOPEN_DAYS: ['3651', 'never'],
    KEPT_YEARS_AFTER_DEATH: ['101', '0.5'],
    KEPT_YEARS_AFTER_CLOSURE: ['101', 'forever'],
    IDENTIFIER_SCHEMES_FILE: ['/nowhere/schemes.json', import.meta.filename],
    LOOKUPS_PER_MINUTE: ['0', '10000001'],
    LOOKUPS_PER_DAY: ['0', 'unlimited'],
    LETTERS_PER_SECOND: ['0', '1000001'],
    LETTERS_PER_DAY: ['0', 'unlimited'],
    UPLOAD_MEGABYTES: ['0', '501'],
    UPLOAD_DAYS: ['0', '366'],
    DEMO: ['yes', '1', 'TRUE'],
    TRUST_PROXY: ['yes', '10.0.0.1'],
    LOG_LEVEL: ['verbose', 'INFO'],
    DATABASE_URL: ['mysql://db.example/post', 'db.example', 'file:post.db'],
    SECRET_KEY: [Buffer.alloc(31, 7).toString('base64'), Buffer.alloc(33, 7).toString('base64'), 'swordfish'],
    ONE_LOGIN_PRIVATE_KEY: [ecPem, 'swordfish', rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString()],
    ONE_LOGIN_PRIVATE_KEY_FILE: ['/nowhere/key.pem', import.meta.filename],
    EVIDENCE_KEYS_FILE: ['/nowhere/keys.json', import.meta.filename],
    EVIDENCE_YEARS: ['0', '101', 'for ever'],
    OUTAGE_SECONDS: ['29', '86401', 'never'],
    PENDING_MINUTES: ['0', '100001', 'an hour'],
    LOG_BEAT_MS: ['49', '60001', '1s'],
    LOG_WITNESSES: [
      'https://witness.example',
      witness,
      `http://witness.example ${witness}`,
      `https://witness.example ${witness},`,
      `https://witness.example ${witness} ${witness}`,
      `https://witness.example ${witness.slice(0, -1)}`,
      `ftp://witness.example ${witness}`,
    ],
    NOTIFY_API_KEY: ['swordfish', notifyKey.slice(0, -1), notifyKey.slice(-36)],
    NOTIFY_TEMPLATES: [`confirm-email=${templateId}`, 'confirm-email.en=swordfish', `confirm-email.fr=${templateId}`],
    SMTP_URL: ['https://mail.example', 'mail.example', 'smtp:mail.example'],
    SMTP_FROM: ['Digital Post', 'post@a@b', 'post@mail.example, b@mail.example', 'a@b\r\nBcc: c@d'],
    SUPPORT_EMAIL: ['swordfish', 'a b@mail.example', '"><script>@mail.example'],
    TIME_STAMP_CERTIFICATE_FILE: ['/nowhere/certificates.pem', import.meta.filename, noCertificate],
    ...Object.fromEntries([...addresses, 'TIME_STAMP_URL', 'NOTIFY_URL'].map((name) => [name, badAddresses])),
  }
  for (const [name, values] of Object.entries(wrong)) {
    test(`stop the start where ${name} is wrong, and never repeat it`, () => {
      for (const value of values) {
        const sentence = refusal({ ...production, ...beside[name as Setting], [name]: value })
        assert.ok(sentence.startsWith(`${name} is wrong: `), sentence)
        assert.ok(value.length < 4 || !sentence.includes(value), sentence)
        for (const secret of Object.values(production)) assert.ok(!sentence.includes(secret), sentence)
      }
    })
  }

  test('allow plain http to this machine itself, and only in demo', () => {
    for (const name of addresses) {
      const others = {
        ...demo,
        ONE_LOGIN_CLIENT_ID: 'id',
        ONE_LOGIN_PRIVATE_KEY: rsaPem,
        ONE_LOGIN_DID_URL: 'https://did.example',
        ...(name === 'ONE_LOGIN_DID_URL' ? { ONE_LOGIN_ISSUER: 'https://login.example/' } : {}),
      }
      for (const host of ['localhost', '127.0.0.1:3000', '[::1]']) readConfig({ ...others, [name]: `http://${host}/` })
      for (const host of ['post.example', 'localhost.example', '127.0.0.1.example', '0.0.0.0', '192.168.0.1']) {
        assert.match(refusal({ ...others, [name]: `http://${host}/` }), new RegExp(`^${name} is wrong: plain http`))
      }
    }
  })

  test('take a One Login in demo too, and then need all that belongs to it', () => {
    const own = { ...demo, ONE_LOGIN_ISSUER: 'http://127.0.0.1:4000/' }
    assert.match(refusal(own), /^ONE_LOGIN_CLIENT_ID/)
    assert.match(refusal({ ...own, ONE_LOGIN_CLIENT_ID: 'us' }), /^ONE_LOGIN_DID_URL/)
    const { oneLogin } = readConfig({ ...own, ONE_LOGIN_CLIENT_ID: 'us', ONE_LOGIN_DID_URL: 'http://127.0.0.1:4000/did.json' })
    assert.deepEqual(
      [oneLogin.issuer, oneLogin.clientId, oneLogin.didUrl],
      [own.ONE_LOGIN_ISSUER, 'us', 'http://127.0.0.1:4000/did.json'],
    )
  })

  test('take the key of One Login from a file, or on one line', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'dp-'))
    try {
      const file = path.join(folder, 'key.pem')
      writeFileSync(file, rsaPem)
      const fromFile = readConfig({ ...production, ONE_LOGIN_PRIVATE_KEY: undefined, ONE_LOGIN_PRIVATE_KEY_FILE: file })
      assert.ok(fromFile.oneLogin.privateKey.equals(rsa.privateKey))
      writeFileSync(file, ecPem)
      assert.match(
        refusal({ ...production, ONE_LOGIN_PRIVATE_KEY_FILE: file }),
        /^ONE_LOGIN_PRIVATE_KEY_FILE is wrong: it holds no RSA/,
      )
    } finally {
      rmSync(folder, { recursive: true })
    }
    const onOneLine = readConfig({ ...production, ONE_LOGIN_PRIVATE_KEY: rsaPem.replaceAll('\n', '\\n') })
    assert.ok(onOneLine.oneLogin.privateKey.equals(rsa.privateKey))
  })

  test('take witnesses, and a time-stamp authority with the certificates that it is trusted by', () => {
    const others = { LOG_WITNESSES: `https://a.example/w1/ ${witness} , https://b.example ${witness}`, LOG_BEAT_MS: '250' }
    const stamps = { TIME_STAMP_URL: 'https://stamps.example/tsr', TIME_STAMP_CERTIFICATE_FILE: certificates }
    const { evidence } = readConfig({ ...production, ...others, ...stamps, EVIDENCE_YEARS: '10' })
    assert.deepEqual(evidence, {
      keys: { seal: 'here' },
      beatMs: 250,
      years: 10,
      witnesses: [
        { url: 'https://a.example/w1', key: witness },
        { url: 'https://b.example', key: witness },
      ],
      timeStamp: { url: 'https://stamps.example/tsr', certificates: [certificatePem, certificatePem] },
    })
    assert.deepEqual(readConfig({ ...demo, ...stamps }).evidence.timeStamp, evidence.timeStamp)
    assert.match(refusal({ ...production, TIME_STAMP_URL: stamps.TIME_STAMP_URL }), /^TIME_STAMP_CERTIFICATE_FILE is not set/)
    assert.match(refusal({ ...production, TIME_STAMP_CERTIFICATE_FILE: certificates }), /^TIME_STAMP_URL is not set/)
  })

  test('take a key of GOV.UK Notify as its own clients do, with the templates by their names, or a mail server', () => {
    const named = {
      NOTIFY_API_KEY: notifyKey,
      NOTIFY_TEMPLATES: ` confirm-email.en=${templateId} , confirm-mobile.cy=${templateId}`,
    }
    assert.deepEqual(readConfig({ ...production, ...named }).alerts, {
      smtp: undefined,
      notify: {
        url: 'https://api.notifications.service.gov.uk',
        serviceId: templateId,
        secret: '0b4a5000-0b4a-4b4a-8b4a-0b4a50000b4a',
        templates: { 'confirm-email.en': templateId, 'confirm-mobile.cy': templateId },
      },
    })
    assert.deepEqual(readConfig(production).alerts, { smtp: undefined, notify: undefined })
    const smtp = { SMTP_URL: 'smtps://post:secret@mail.example', SMTP_FROM: 'Digital Post <post@post.example>' }
    const expected = { url: smtp.SMTP_URL, from: smtp.SMTP_FROM }
    assert.deepEqual(readConfig({ ...demo, ...smtp }).alerts, { smtp: expected, notify: undefined })
    assert.match(refusal({ ...production, SMTP_URL: smtp.SMTP_URL }), /^SMTP_FROM is not set/)
    assert.equal(readConfig({ ...production, SUPPORT_EMAIL: 'help@post.example' }).supportEmail, 'help@post.example')
  })

  test('name the command that makes the keys of evidence', () => {
    assert.match(refusal({ ...production, EVIDENCE_KEYS_FILE: undefined }), /npm run --silent evidence-keys > keys\.json/)
  })

  test('are all read: each has a default, is needed, or can be wrong', () => {
    const harmless: Setting[] = ['HOST', 'DATA_DIRECTORY', 'SERVICE_NAME']
    const seen = new Set<string>([...harmless, ...needed, ...Object.keys(wrong)])
    assert.deepEqual(
      Object.keys(settings).filter((name) => !seen.has(name)),
      [],
    )
  })
})

import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { askTimeStamp } from './ask-time-stamp.ts'
import type { Missing } from './missing.ts'
import {
  readTimeStampResponse,
  timeStampBytesMax,
  timeStampCertificates,
  timeStampRequest,
  verifyTimeStamp,
} from './time-stamp.ts'

const data = Buffer.from('digital-post.example/log\n256\nAAAA\n')
const otherData = Buffer.from('digital-post.example/log\n257\nAAAA\n')
const nonce = randomBytes(16)

const skip = spawnSync('openssl', ['version']).stdout?.toString().startsWith('OpenSSL 3')
  ? false
  : 'there is no OpenSSL 3 on this machine to be the authority'

let folder = ''
const file = (name: string) => path.join(folder, name)
const pem = (name: string) => readFileSync(file(`${name}.pem`), 'utf8')
const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })

const purposes = {
  root: 'basicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign',
  shortRoot: 'basicConstraints = critical, CA:TRUE, pathlen:0\nkeyUsage = critical, keyCertSign',
  tlsRoot: 'basicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign\nextendedKeyUsage = serverAuth',
  // With a key identifier that says nothing about the key.
  namedRoot: 'basicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign\nsubjectKeyIdentifier = 010203',
  notCa: 'basicConstraints = CA:FALSE\nkeyUsage = critical, keyCertSign',
  stamp: 'basicConstraints = CA:FALSE\nkeyUsage = critical, digitalSignature\nextendedKeyUsage = critical, timeStamping',
  none: 'basicConstraints = CA:FALSE\nkeyUsage = critical, digitalSignature',
  uncritical: 'keyUsage = critical, digitalSignature\nextendedKeyUsage = timeStamping',
  twoPurposes: 'keyUsage = critical, digitalSignature\nextendedKeyUsage = critical, timeStamping, codeSigning',
  keyAgreement: 'keyUsage = critical, digitalSignature, keyAgreement\nextendedKeyUsage = critical, timeStamping',
  unknownCritical: 'extendedKeyUsage = critical, timeStamping\n1.2.3.4 = critical, ASN1:NULL',
}

type Key = 'rsa' | 'ec' | 'weak'
const keyOptions = (key: Key) =>
  key === 'ec' ? ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'] : [key === 'rsa' ? 'rsa:2048' : 'rsa:1024']

/** A key and a certificate of this name, issued by another or by itself. */
function certify(name: string, purpose: keyof typeof purposes, issuer = name, key: Key = 'ec', days = 30): void {
  writeFileSync(file(`${name}.ext`), purposes[purpose])
  const newKey = ['-newkey', ...keyOptions(key), '-nodes', '-keyout', `${name}.key`, '-subj', `/O=Example/CN=${name}`]
  openssl('req', '-config', 'openssl.cnf', '-new', ...newKey, '-out', `${name}.csr`)
  const by = issuer === name ? ['-signkey', `${name}.key`] : ['-CA', `${issuer}.pem`, '-CAkey', `${issuer}.key`]
  const serial = ['-set_serial', `0x${randomBytes(8).toString('hex')}`]
  const extensions = ['-extfile', `${name}.ext`, '-days', String(days)]
  openssl('x509', '-req', '-in', `${name}.csr`, ...by, ...serial, ...extensions, '-out', `${name}.pem`)
}

type Authority = { certs?: string; digests?: string; ess?: string; request?: Uint8Array }

/** The TimeStampResp of `openssl ts`, signed with the key of this name. */
function reply(name: string, { certs, digests = 'sha256', ess = 'sha256', request }: Authority = {}): Uint8Array {
  writeFileSync(file('request.tsq'), request ?? timeStampRequest(data, nonce))
  const section = ['[tsa]', 'default_tsa = authority', '[authority]', 'serial = serial', 'signer_digest = sha256']
  const rest = ['default_policy = 1.2.3.4', `digests = ${digests}`, 'accuracy = secs:1, millisecs:500, microsecs:250']
  const names = ['tsa_name = yes', 'ordering = yes', 'clock_precision_digits = 3', `ess_cert_id_alg = ${ess}`]
  writeFileSync(file('tsa.cnf'), `${[...section, ...rest, ...names].join('\n')}\n`)
  const signer = ['-signer', `${name}.pem`, '-inkey', `${name}.key`, ...(certs ? ['-chain', `${certs}.pem`] : [])]
  openssl('ts', '-reply', '-config', 'tsa.cnf', '-queryfile', 'request.tsq', ...signer, '-out', 'answer.tsr')
  return readFileSync(file('answer.tsr'))
}

function tokenOf(name: string, authority?: Authority): Uint8Array {
  const token = readTimeStampResponse(reply(name, authority), data, nonce)
  assert.ok(typeof token !== 'string', String(token))
  return token
}

const tstInfoType = '1.2.840.113549.1.9.16.1.4'

/** What `openssl ts` would not sign with such a certificate: the same TSTInfo, signed as any other message. */
function forge(name: string, ...options: string[]): Buffer {
  writeFileSync(file('good.tst'), tokenOf('ec'))
  openssl('cms', '-verify', '-noverify', '-inform', 'DER', '-in', 'good.tst', '-binary', '-out', 'content')
  const signer = ['-signer', `${name}.pem`, '-inkey', `${name}.key`, '-md', 'sha256', '-nosmimecap', ...options]
  const type = options.includes('-econtent_type') ? [] : ['-econtent_type', tstInfoType]
  const form = ['-nodetach', '-binary', '-outform', 'DER']
  openssl('cms', '-sign', '-in', 'content', ...type, ...form, ...signer, '-out', 'forged')
  return readFileSync(file('forged'))
}

function assertRefused(token: Uint8Array, because: RegExp, { trusted = [pem('root')], of = data } = {}): void {
  const verdict = verifyTimeStamp(token, of, trusted)
  assert.ok(typeof verdict === 'string', 'accepted')
  assert.match(verdict, because)
}

before(() => {
  if (skip) return
  folder = mkdtempSync(path.join(tmpdir(), 'time-stamp-'))
  writeFileSync(file('openssl.cnf'), '[req]\ndistinguished_name = name\n[name]\n')
  writeFileSync(file('serial'), '0A\n')
  certify('root', 'root')
  certify('otherRoot', 'root')
  certify('ec', 'stamp', 'root')
})
after(() => rmSync(folder || 'none', { recursive: true, force: true }))

describe('a time-stamp of OpenSSL', { skip }, () => {
  test('says when the data existed, how sure that is, and who says so', () => {
    certify('rsa', 'stamp', 'root', 'rsa')
    for (const name of ['rsa', 'ec']) {
      const start = Date.now()
      const verdict = verifyTimeStamp(tokenOf(name), data, [pem('root')])
      assert.ok(typeof verdict !== 'string', String(verdict))
      assert.ok(Math.abs(verdict.at.getTime() - start) < 60_000)
      assert.equal(verdict.accuracyMs, 1500.25)
      assert.equal(verdict.authority, `O=Example, CN=${name}`)
      assert.match(verdict.serial, /^[0-9a-f]+$/)
    }
  })

  test('is accepted where the certificate itself is trusted, in PEM or DER, or among others', () => {
    const token = tokenOf('ec')
    const der = openssl('x509', '-in', 'ec.pem', '-outform', 'DER')
    for (const trusted of [[pem('ec')], [der], [pem('otherRoot'), pem('root')], [pem('otherRoot') + pem('root')]]) {
      assert.equal(typeof verifyTimeStamp(token, data, trusted), 'object')
    }
  })

  test('is accepted with the older ESSCertID of RFC 3161', () => {
    assert.equal(typeof verifyTimeStamp(tokenOf('ec', { ess: 'sha1' }), data, [pem('root')]), 'object')
  })

  test('is accepted through an authority in between, which it brings', () => {
    certify('between', 'root', 'root')
    certify('below', 'stamp', 'between')
    assert.equal(typeof verifyTimeStamp(tokenOf('below', { certs: 'between' }), data, [pem('root')]), 'object')
    assertRefused(tokenOf('below'), /leads to none that is trusted/)
  })

  test('is refused where what is in between may not issue it', () => {
    certify('short', 'shortRoot')
    certify('between2', 'root', 'short')
    certify('below2', 'stamp', 'between2')
    assertRefused(tokenOf('below2', { certs: 'between2' }), /leads to none/, { trusted: [pem('short')] })
    certify('tls', 'tlsRoot', 'root')
    certify('below3', 'stamp', 'tls')
    assertRefused(tokenOf('below3', { certs: 'tls' }), /leads to none/)
    certify('notCa', 'notCa', 'root')
    certify('below4', 'stamp', 'notCa')
    assertRefused(tokenOf('below4', { certs: 'notCa' }), /leads to none/)
  })

  test('is refused for other data, and with another trusted certificate', () => {
    assertRefused(tokenOf('ec'), /for other data/, { of: otherData })
    assertRefused(tokenOf('ec'), /leads to none that is trusted/, { trusted: [pem('otherRoot')] })
    assertRefused(tokenOf('ec'), /leads to none that is trusted/, { trusted: [] })
    for (const trusted of ['', 'none', pem('root').replace(/M/g, '!')]) {
      assertRefused(tokenOf('ec'), /to be trusted cannot be read/, { trusted: [trusted] })
    }
  })

  test('is refused where another root has taken the name of the trusted one', () => {
    certify('impostor', 'namedRoot')
    certify('victim', 'stamp', 'impostor')
    const token = tokenOf('victim', { certs: 'impostor' })
    certify('impostor', 'namedRoot')
    assertRefused(token, /leads to none/, { trusted: [pem('impostor')] })
  })

  test('is refused where the certificate, or its issuer’s, had expired', () => {
    certify('expired', 'stamp', 'root', 'ec', -1)
    assertRefused(tokenOf('expired'), /outside the validity/)
    certify('expiredRoot', 'root', 'expiredRoot', 'ec', -1)
    certify('below5', 'stamp', 'expiredRoot')
    assertRefused(tokenOf('below5'), /leads to none/, { trusted: [pem('expiredRoot')] })
  })

  test('is refused where the certificate is not for time-stamps, or not for them only', () => {
    assert.equal(typeof verifyTimeStamp(forge('ec', '-cades'), data, [pem('root')]), 'object')
    const reasons = {
      none: /not for time-stamps only/,
      uncritical: /not for time-stamps only/,
      twoPurposes: /not for time-stamps only/,
      keyAgreement: /not for signatures only/,
      unknownCritical: /unknown critical extension/,
    }
    for (const [purpose, reason] of Object.entries(reasons)) {
      certify(purpose, purpose as keyof typeof reasons, 'root')
      assertRefused(forge(purpose, '-cades'), reason)
    }
  })

  test('is refused where the signature does not name the certificate, or has no attributes', () => {
    assertRefused(forge('ec'), /ESSCertID/)
    assertRefused(forge('ec', '-noattr'), /no signed attributes/)
  })

  test('is refused where what was signed, with the same bytes, was no time-stamp', () => {
    const other = forge('ec', '-cades', '-econtent_type', '1.2.840.113549.1.9.16.1.5')
    // The type of the content, which is not signed; it is in the signed attributes a second time.
    const last = other.indexOf('2a864886f70d0109100105', 0, 'hex') + 10
    assert.equal(other[last], 5)
    other[last] = 4
    assertRefused(other, /not those of a time-stamp/)
  })

  test('finds the certificate by its key identifier too', () => {
    assert.equal(typeof verifyTimeStamp(forge('ec', '-cades', '-keyid'), data, [pem('root')]), 'object')
  })

  test('is refused with a weak key or hash', () => {
    certify('weak', 'stamp', 'root', 'weak')
    assertRefused(tokenOf('weak'), /not accepted/)
    assertRefused(forge('ec', '-cades', '-md', 'sha1'), /hash that is not accepted/)
  })

  test('brings the certificates, the one that signed first', () => {
    certify('between3', 'root', 'root')
    certify('below6', 'stamp', 'between3')
    assert.deepEqual(timeStampCertificates(tokenOf('below6', { certs: 'between3' })), [pem('below6'), pem('between3')])
    assert.deepEqual(timeStampCertificates(Buffer.from('none')), [])
  })
})

describe('a time-stamp that is not as it was made', () => {
  test('is refused, or says the same, whichever of its bytes is another', { skip }, () => {
    const token = tokenOf('ec')
    const trusted = [pem('root'), pem('ec')]
    const verdict = verifyTimeStamp(token, data, trusted)
    assert.equal(typeof verdict, 'object')
    let refused = 0
    for (const at of token.keys()) {
      const changed = token.slice()
      changed[at]! ^= 1 << (at % 8)
      const other = verifyTimeStamp(changed, data, trusted)
      if (typeof other === 'string') refused += 1
      // Where no signature reaches: a receipt's own digest has it.
      else assert.deepEqual(other, verdict, `byte ${at}`)
    }
    assert.ok(refused > token.length - 20, `${refused} of ${token.length}`)
  })

  test('is refused when it is cut short, or longer, or encoded in another way', { skip }, () => {
    const token = tokenOf('ec')
    for (let length = 0; length < token.length; length += 7) {
      assert.equal(typeof verifyTimeStamp(token.subarray(0, length), data, [pem('ec')]), 'string')
    }
    assertRefused(Buffer.concat([token, Buffer.from([5, 0])]), /not in DER/)
    // The same SEQUENCE, of indefinite length, which BER allows.
    const indefinite = Buffer.concat([Buffer.from([0x30, 0x80]), token.subarray(4), Buffer.from([0, 0])])
    assertRefused(indefinite, /not in DER/)
    assertRefused(Buffer.alloc(timeStampBytesMax + 1, 0x30), /more than 65536 bytes/)
  })

  test('is refused, and nothing thrown, whatever the bytes', () => {
    const nested = Buffer.alloc(60_000)
    // A SEQUENCE in a SEQUENCE, 15,000 deep.
    for (let at = 0; at < nested.length; at += 4) {
      nested.set([0x30, 0x82], at)
      nested.writeUInt16BE(nested.length - at - 4, at + 2)
    }
    const wide = Buffer.concat([Buffer.from([0x30, 0x82, 0xea, 0x60]), Buffer.alloc(60_000, '0500', 'hex')])
    const hostile = [nested, wide, Buffer.alloc(0), Buffer.from('none'), Buffer.from('3000', 'hex'), Buffer.alloc(9, 0xff)]
    const start = performance.now()
    for (const bytes of [...hostile, ...Array.from({ length: 100 }, () => randomBytes(200))]) {
      assert.equal(typeof verifyTimeStamp(bytes, data, []), 'string')
      assert.equal(typeof readTimeStampResponse(bytes, data, nonce), 'string')
      assert.deepEqual(timeStampCertificates(bytes), [])
    }
    assert.ok(performance.now() - start < 20_000)
  })

  test('is refused as an answer where it is for another request', { skip }, () => {
    const answer = reply('ec')
    assert.match(String(readTimeStampResponse(answer, data, randomBytes(16))), /its nonce is another/)
    assert.match(String(readTimeStampResponse(answer, otherData, nonce)), /for other data/)
  })
})

describe('asking an authority', () => {
  /** What askTimeStamp answers when the authority behaves like this. */
  async function ask(listener: RequestListener, timeLimitMs?: number): Promise<Uint8Array | Missing> {
    const server = createServer(listener).listen(0, '127.0.0.1')
    await once(server, 'listening')
    try {
      return await askTimeStamp(`http://127.0.0.1:${(server.address() as AddressInfo).port}/tsr`, data, timeLimitMs)
    } finally {
      server.closeAllConnections()
      server.close()
    }
  }

  const asOpenSsl = (authority: Authority): RequestListener => {
    return async (request, response) => {
      assert.equal(request.method, 'POST')
      assert.equal(request.headers['content-type'], 'application/timestamp-query')
      const answer = reply('ec', { ...authority, request: Buffer.concat(await request.toArray()) })
      response.setHeader('content-type', 'application/timestamp-reply').end(answer)
    }
  }

  test('answers with a token that verifies', { skip }, async () => {
    const token = await ask(asOpenSsl({}))
    assert.ok(token instanceof Uint8Array, JSON.stringify(token))
    assert.equal(typeof verifyTimeStamp(token, data, [pem('root')]), 'object')
  })

  test('says in words why the authority refused', { skip }, async () => {
    const refusal = 'The time-stamp authority refused (rejection): the hash algorithm is not supported.'
    assert.deepEqual(await ask(asOpenSsl({ digests: 'sha512' })), { code: 'stamp-wrong', why: refusal })
  })

  test('waits no longer than the limit, for an answer or for the rest of one', async () => {
    const late = { code: 'stamp-late', ms: 100 }
    assert.deepEqual(await ask(() => {}, 100), late)
    const half: RequestListener = (_request, response) => {
      response.setHeader('content-type', 'application/timestamp-reply').write('half')
    }
    assert.deepEqual(await ask(half, 100), late)
  })

  test('takes no answer that is too long, has another status or type, or is elsewhere', async () => {
    const answers = (status: number, type: string, body: string | Buffer, location?: string): RequestListener => {
      const headers = { 'content-type': type, ...(location && { location }) }
      return (_request, response) => response.writeHead(status, headers).end(body)
    }
    const reply = 'application/timestamp-reply'
    const long = await ask(answers(200, reply, Buffer.alloc(timeStampBytesMax + 1)))
    assert.deepEqual(long, { code: 'stamp-too-long', bytes: 65_536 })
    assert.deepEqual(await ask(answers(503, reply, 'busy')), { code: 'stamp-status', status: 503 })
    assert.deepEqual(await ask(answers(200, 'text/html', 'hello')), { code: 'stamp-other-type' })
    assert.deepEqual(await ask(answers(200, reply, 'hello')), { code: 'stamp-wrong', why: 'The time-stamp is not in DER.' })
    assert.deepEqual(await ask(answers(307, reply, '', 'http://127.0.0.1:1/')), { code: 'stamp-not-reached' })
  })

  test('says so where nobody is there', async () => {
    assert.deepEqual(await askTimeStamp('http://u:secret@127.0.0.1:1/', data), { code: 'stamp-not-reached' })
    assert.deepEqual(await askTimeStamp('none', data), { code: 'stamp-not-reached' })
  })
})

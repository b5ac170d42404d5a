import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, test } from 'node:test'
import * as asn1js from 'asn1js'
import * as pkijs from 'pkijs'
import { readTimeStampResponse, timeStampCertificates, timeStampRequest, verifyTimeStamp } from '../src/evidence/time-stamp.ts'
import { answerTimeStampRequest, makeTimeStampAuthorityKeys } from './time-stamp-authority.ts'

const data = Buffer.from('digital-post.example/log\n256\nAAAA\n')
const nonce = randomBytes(16)
const now = new Date('2026-11-26T09:30:00.250Z')
const keys = await makeTimeStampAuthorityKeys(now)

async function tokenAt(time: Date): Promise<Uint8Array> {
  const answer = await answerTimeStampRequest(keys, timeStampRequest(data, nonce), time)
  const token = readTimeStampResponse(answer, data, nonce)
  assert.ok(typeof token !== 'string', String(token))
  return token
}

const hasOpenSsl = spawnSync('openssl', ['version']).stdout?.toString().startsWith('OpenSSL 3')

describe('the stand-in for a time-stamp authority', () => {
  test('makes time-stamps that verify, of the time that it is told', async () => {
    const token = await tokenAt(now)
    const verdict = verifyTimeStamp(token, data, [keys.certificatePem])
    assert.ok(typeof verdict !== 'string', String(verdict))
    assert.deepEqual(
      { ...verdict, serial: '' },
      {
        at: now,
        accuracyMs: 1000,
        authority: 'CN=Stand-in for a time-stamp authority',
        serial: '',
      },
    )
    assert.deepEqual(timeStampCertificates(token), [keys.certificatePem])
  })

  test('is trusted by nobody who does not trust its certificate, and not after that has expired', async () => {
    const others = await makeTimeStampAuthorityKeys(now)
    const untrusted = 'The certificate that signed the time-stamp leads to none that is trusted.'
    assert.equal(verifyTimeStamp(await tokenAt(now), data, [others.certificatePem]), untrusted)
    const expired = 'The time-stamp was made outside the validity of the certificate that signed it.'
    for (const time of ['2026-11-20T00:00:00Z', '2037-01-01T00:00:00Z']) {
      assert.equal(verifyTimeStamp(await tokenAt(new Date(time)), data, [keys.certificatePem]), expired)
    }
  })

  test('refuses what is no request, or asks for what it does not have', async () => {
    const refusal = async (request: Uint8Array) => {
      return readTimeStampResponse(await answerTimeStampRequest(keys, request, now), data, nonce)
    }
    const changed = (change: (request: pkijs.TimeStampReq) => void) => {
      const request = pkijs.TimeStampReq.fromBER(new Uint8Array(timeStampRequest(data, nonce)))
      change(request)
      return new Uint8Array(request.toSchema().toBER())
    }
    const cases: [Uint8Array, string][] = [
      [Buffer.from('none'), 'the data has the wrong format'],
      [changed((request) => Object.assign(request, { version: 2 })), 'the request is not permitted or supported'],
      [changed((request) => Object.assign(request, { reqPolicy: '1.2.3' })), 'the policy is not supported'],
      [
        changed(({ messageImprint }) => Object.assign(messageImprint.hashAlgorithm, { algorithmId: '1.3.14.3.2.26' })),
        'the hash algorithm is not supported',
      ],
      [
        changed(({ messageImprint }) =>
          Object.assign(messageImprint, { hashedMessage: new asn1js.OctetString({ valueHex: Buffer.alloc(20) }) }),
        ),
        'the data has the wrong format',
      ],
    ]
    for (const [request, reason] of cases) {
      assert.equal(await refusal(request), `The time-stamp authority refused (rejection): ${reason}.`)
    }
  })

  test('is accepted by OpenSSL', { skip: hasOpenSsl ? false : 'there is no OpenSSL 3 on this machine' }, async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'stand-in-'))
    try {
      const present = await makeTimeStampAuthorityKeys(new Date())
      const request = timeStampRequest(data, nonce)
      const files = { data, request, certificate: present.certificatePem }
      const answer = await answerTimeStampRequest(present, request, new Date())
      for (const [name, content] of Object.entries({ ...files, answer })) writeFileSync(path.join(folder, name), content)
      const verify = (...by: string[]) =>
        execFileSync('openssl', ['ts', '-verify', '-in', 'answer', '-CAfile', 'certificate', ...by], {
          cwd: folder,
          stdio: 'pipe',
        })
      assert.match(verify('-queryfile', 'request').toString(), /Verification: OK/)
      assert.match(verify('-data', 'data').toString(), /Verification: OK/)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

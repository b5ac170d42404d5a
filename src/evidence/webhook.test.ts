import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { nextTry, readWebhookUrl, triedForMs, webhookHeaders } from './webhook.ts'

const now = new Date('2026-11-23T10:00:00Z')

describe('the rules of webhooks', () => {
  test('the signature is that of Standard Webhooks', () => {
    // The example of the specification's own libraries.
    const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
    const headers = webhookHeaders('msg_p5jXN8AQM9LWM0D4loKWxJek', '{"test": 2432232314}', [secret], new Date(1_614_265_330_000))
    assert.equal(headers['webhook-timestamp'], '1614265330')
    assert.equal(headers['webhook-signature'], 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=')
  })

  test('pauses grow, with up to a quarter more, and the last try is after a day', () => {
    const pause = (tries: number, random: number) => (nextTry(tries, now, now, random)!.getTime() - now.getTime()) / 1000
    assert.deepEqual(
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 50].map((tries) => pause(tries, 0)),
      [5, 30, 120, 600, 1800, 3600, 7200, 14_400, 14_400, 14_400],
    )
    assert.equal(pause(6, 1), 4500)
    const at = (ms: number) => new Date(now.getTime() + ms)
    assert.deepEqual(nextTry(20, now, at(triedForMs - 60_000), 0.5), at(triedForMs))
    assert.equal(nextTry(20, now, at(triedForMs), 0.5), undefined)
  })

  test('an address is https, has no user or fragment, and is no address of a network of our own however it is written', () => {
    for (const good of ['https://sender.example/events?of=post', 'https://93.184.215.14:8443/', 'https://[2606:2800:21f::1]/']) {
      assert.ok(readWebhookUrl(good, false), good)
    }
    const bad = [
      'http://sender.example/',
      'http://localhost/',
      'ftp://sender.example/',
      'https://user:secret@sender.example/',
      'https://sender.example/#here',
      'sender.example',
      '',
      `https://sender.example/${'x'.repeat(2_000)}`,
      'https://127.0.0.1/',
      'https://2130706433/',
      'https://0x7f.1/',
      'https://10.0.0.1/',
      'https://100.64.0.1/',
      'https://172.31.255.255/',
      'https://192.168.0.1/',
      'https://169.254.169.254/latest/meta-data/',
      'https://0.0.0.0/',
      'https://224.0.0.1/',
      'https://255.255.255.255/',
      'https://[::1]/',
      'https://[::]/',
      'https://[::ffff:127.0.0.1]/',
      'https://[64:ff9b::7f00:1]/',
      'https://[2002:7f00:1::]/',
      'https://[2001::1]/',
      'https://[fe80::1]/',
      'https://[fc00::1]/',
      'https://[ff02::1]/',
    ]
    for (const url of bad) assert.equal(readWebhookUrl(url, false), undefined, url)
    for (const url of ['http://localhost:9000/', 'http://127.0.0.1/', 'http://[::1]/', 'https://127.0.0.1/'])
      assert.ok(readWebhookUrl(url, true), url)
    for (const url of [
      'http://sender.example/',
      'http://10.0.0.1/',
      'https://10.0.0.1/',
      'http://127.0.0.2/',
      'https://[::ffff:127.0.0.1]/',
    ])
      assert.equal(readWebhookUrl(url, true), undefined, url)
  })
})

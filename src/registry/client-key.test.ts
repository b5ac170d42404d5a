import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import { readPastedKey, readPublicKey } from './client-key.ts'

const rsa = (modulusLength: number, publicExponent = 65_537) =>
  generateKeyPairSync('rsa', { modulusLength, publicExponent }).publicKey.export({ format: 'jwk' })
const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve }).publicKey.export({ format: 'jwk' })
const ed25519 = generateKeyPairSync('ed25519')

describe('the public key of a system', () => {
  test('is RSA of 2048 bits or more, EC P-256 or Ed25519', () => {
    for (const key of [rsa(2048), ec('P-256'), ed25519.publicKey.export({ format: 'jwk' })]) {
      assert.deepEqual(readPublicKey({ ...key, kid: '2026' }), { ...key, kid: '2026' })
    }
    const others = [
      rsa(1024),
      rsa(2048, 3),
      ec('P-384'),
      ec('secp256k1'),
      generateKeyPairSync('x25519').publicKey.export({ format: 'jwk' }),
    ]
    for (const key of others) assert.equal(readPublicKey(key), 'kind', key.crv)
  })

  test('is refused when any private part is there', () => {
    const pairs = [
      generateKeyPairSync('rsa', { modulusLength: 2048 }),
      generateKeyPairSync('ec', { namedCurve: 'P-256' }),
      ed25519,
    ]
    for (const { privateKey } of pairs) assert.equal(readPublicKey(privateKey.export({ format: 'jwk' })), 'private')
    assert.equal(readPublicKey({ kty: 'oct', k: 'c2VjcmV0' }), 'private')
    assert.equal(readPublicKey({ ...rsa(2048), dp: 'x' }), 'private')
  })

  test('is a point of its curve, and for signatures', () => {
    const key = ec('P-256')
    assert.equal(readPublicKey({ ...key, y: key.x }), 'kind')
    assert.equal(readPublicKey({ ...key, use: 'enc' }), 'kind')
    assert.equal(readPublicKey({ ...key, alg: 'RS256' }), 'kind')
    assert.equal(readPublicKey({ ...key, alg: 'none' }), 'kind')
  })

  test('may be pasted alone or as a set of one, and what else stands in it is left out', () => {
    const key = ec('P-256')
    assert.deepEqual(readPastedKey(JSON.stringify({ keys: [{ ...key, x5c: ['AA=='], note: 'ours' }] })), key)
    for (const text of ['', 'ssh-ed25519 AAAA', '[]', 'null', '"key"', '{"keys":[]}', JSON.stringify({ keys: [key, key] })]) {
      assert.equal(readPastedKey(text), 'not-a-key', text)
    }
  })
})

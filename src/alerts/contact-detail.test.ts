import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { readConfig } from '../config.ts'
import { contactOptions, hashOfValue, numberInWords, readEmail, readMobile } from './contact-detail.ts'

describe('an email address', () => {
  test('is taken as it is sent to, with its domain in small letters', () => {
    const taken = {
      ' Rosa.Example@Mail.EXAMPLE ': 'Rosa.Example@mail.example',
      "o'neil+post@a.b.example": "o'neil+post@a.b.example",
    }
    for (const [typed, expected] of Object.entries(taken)) assert.equal(readEmail(typed), expected)
  })

  test('is refused where it is none', () => {
    const wrong = ['', 'rosa', 'rosa@', '@mail.example', 'rosa@mail', 'ro sa@mail.example', 'a@b@mail.example', '.a@mail.example']
    const more = [
      'a..b@mail.example',
      'a@-mail.example',
      'a@mail..example',
      `${'a'.repeat(65)}@mail.example`,
      'a@mail.example\r\nBcc: b@c.example',
    ]
    for (const typed of [...wrong, ...more, 'Rosa <rosa@mail.example>', 'rosa@mail.example,b@mail.example'])
      assert.equal(readEmail(typed), undefined, typed)
  })

  test('is known again however it is written', () => {
    const { keys } = contactOptions(readConfig({ DEMO: 'true' }))
    assert.deepEqual(hashOfValue(keys, 'email', 'Rosa@mail.example'), hashOfValue(keys, 'email', 'rosa@mail.example'))
    assert.notDeepEqual(hashOfValue(keys, 'mobile', '+447700900123'), hashOfValue(keys, 'email', '+447700900123'))
  })
})

describe('a mobile number', () => {
  test('of the United Kingdom is taken however people write it', () => {
    for (const typed of [
      '07700 900123',
      '07700-900-123',
      '(07700) 900 123',
      '+44 7700 900123',
      '+44 (0)7700 900123',
      '0044 7700 900123',
      '447700900123',
    ])
      assert.equal(readMobile(typed), '+447700900123', typed)
    assert.equal(readMobile('07624 900123'), '+447624900123')
  })

  test('of elsewhere is taken with the code of its country', () => {
    assert.equal(readMobile('+353 20 915 0123'), '+353209150123')
    assert.equal(readMobile('00353209150123'), '+353209150123')
  })

  test('is refused where it is none, or none that a text message reaches', () => {
    const wrong = [
      '',
      '07700',
      '020 7946 0123',
      '+44 20 7946 0123',
      '07000 900123',
      '07600 900123',
      '+0 7700 900123',
      '07700 900123 x1',
    ]
    for (const typed of [...wrong, '+447700 9001234', 'rosa@mail.example', '+1234567890123456'])
      assert.equal(readMobile(typed), undefined, typed)
  })

  test('is read again from how it is shown', () => {
    assert.equal(numberInWords('+447700900123'), '07700 900123')
    assert.equal(numberInWords('+353209150123'), '+353209150123')
    fc.assert(fc.property(fc.stringMatching(/^\+447[1-57-9]\d{8}$/), (number) => readMobile(numberInWords(number)) === number))
  })
})

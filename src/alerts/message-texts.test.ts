import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { fillIn, messageTexts, templates } from './message-texts.ts'

const gapsOf = (text: { subject?: string; body: string }) =>
  [...new Set(`${text.subject ?? ''}\n${text.body}`.match(/\(\(\w+\)\)/g))].sort()

describe('what is sent', () => {
  test('says the same in both languages', () => {
    for (const template of templates)
      assert.deepEqual(gapsOf(messageTexts[template].cy), gapsOf(messageTexts[template].en), template)
  })

  test('fits into one text message where it goes by SMS, in the letters that those have', () => {
    const values = { code: '123456', service: 'Digital Post', link: 'https://post.example' }
    for (const template of templates.filter((each) => messageTexts[each].kind === 'mobile')) {
      for (const language of ['en', 'cy'] as const) {
        const { body } = fillIn(template, language, values)
        assert.ok(body.length <= 160, `${template} ${language}: ${body.length}`)
        assert.match(body, /^[\w .,:;!?()'àéèùìòÄÖÜäöü\n-]*$/, 'letters of GSM 03.38')
      }
    }
  })

  test('is never sent with a gap', () => {
    assert.throws(() => fillIn('confirm-mobile', 'en', { code: '123456' }), /service/)
    assert.match(fillIn('confirm-email', 'cy', { code: '123456', service: 'Post', link: 'https://x' }).subject, /123456/)
  })
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { filesMax, messageBytesMax } from '../documents/document.ts'
import { contactLimitsMax, contactSlug, problemOfAnswer } from './contact-point.ts'

test('a contact point may allow as much as delivery takes, and no more', () => {
  assert.equal(contactLimitsMax.megabytes * 1024 * 1024, messageBytesMax)
  assert.equal(contactLimitsMax.files, filesMax)
})

test('an address is made of the name, in small letters, and is never that of another', () => {
  assert.equal(contactSlug('Carer’s support: Tŷ Gwyn', new Set()), 'carers-support-ty-gwyn')
  assert.equal(contactSlug('Parking', new Set(['parking', 'parking-2'])), 'parking-3')
  assert.equal(contactSlug('…', new Set()), 'place')
  assert.match(contactSlug('very long '.repeat(20), new Set()), /^[a-z0-9][a-z0-9-]{0,62}$/)
})

test('what is asked must be answered where it is needed, and not at more length than it may have', () => {
  const label = { en: 'Number' }
  assert.equal(problemOfAnswer({ label, required: true, maxLength: 3 }, ''), 'missing')
  assert.equal(problemOfAnswer({ label, required: false, maxLength: 3 }, ''), undefined)
  assert.equal(problemOfAnswer({ label, required: true, maxLength: 3 }, '123'), undefined)
  assert.equal(problemOfAnswer({ label, required: false, maxLength: 3 }, '1234'), 'too-long')
})

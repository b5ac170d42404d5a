import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, test } from 'node:test'
import { failures, fieldFaults, missing as notThere, rowFaults } from '../../test/reasons.ts'
import { lookKinds } from '../access/look.ts'
import { allRights, scopes, staffRoles } from '../access/rights.ts'
import { errorColumns } from '../delivery/batch-errors-csv.ts'
import { dayColumns, lateColumns } from '../delivery/reconciliation.ts'
import { messageEventTypes } from '../evidence/events.ts'
import { missingInEnglish } from '../evidence/missing.ts'
import { failureInEnglish } from '../evidence/webhook.ts'
import { faultInEnglish, type ProblemCode, problems } from '../problems.ts'
import { approvalKinds } from '../registry/approval.ts'
import { keyRefusals } from '../registry/client-key.ts'
import { readSchemes } from '../registry/scheme.ts'
import { fieldInWords } from './department/problem-words.ts'
import { languages, readWords, translate } from './words.ts'

/** `unread_one` and `unread_many` are both of `unread`. */
const pluralOf = (key: string) => key.replace(/_(zero|one|two|few|many|other)$/, '')

/** Every key with its words, as `namespace:one.two`. */
function flatten(words: Record<string, unknown>, prefix = ''): [string, string][] {
  return Object.entries(words).flatMap(([key, value]) =>
    typeof value === 'string'
      ? [[`${prefix}${key}`, value] as [string, string]]
      : flatten(value as Record<string, unknown>, `${prefix}${key}.`),
  )
}
const wordsOf = (language: (typeof languages)[number]) =>
  Object.entries(readWords(language)).flatMap(([namespace, words]) => flatten(words, `${namespace}:`))

const gaps = (words: string) => [...new Set(words.match(/\{\{-? ?\w+/g)?.map((gap) => gap.replace(/\W/g, '')))].sort().join()

describe('the words of pages', () => {
  test('are there in every language, with the same values in them', () => {
    const seen = languages.map((language) => new Map(wordsOf(language).map(([key, words]) => [pluralOf(key), gaps(words)])))
    const [english, ...others] = seen
    for (const other of others) assert.deepEqual(Object.fromEntries([...other].sort()), Object.fromEntries([...english!].sort()))
  })

  test('have every plural that their language has', () => {
    const missing = languages.flatMap((language) => {
      const keys = new Set(wordsOf(language).map(([key]) => key))
      const plurals = [...keys].filter((key) => pluralOf(key) !== key).map(pluralOf)
      const wanted = new Intl.PluralRules(language).resolvedOptions().pluralCategories
      return [...new Set(plurals)].flatMap((key) =>
        wanted.filter((category) => !keys.has(`${key}_${category}`)).map((category) => `${language} ${key}_${category}`),
      )
    })
    assert.deepEqual(missing, [])
  })

  test('say of a refused letter in English what the API says of it', () => {
    for (const [code, words] of Object.entries(readWords('en').problems!))
      assert.equal(words, problems[code as ProblemCode]?.[2], code)
  })

  test('say of a webhook that failed in English what the API says of it', () => {
    for (const failure of failures)
      assert.equal(translate('en')(`staff-webhooks:failure.${failure.code}`, failure), failureInEnglish(failure))
  })

  test('say of what is missing in English what is written down of it', () => {
    for (const one of notThere.filter(({ code }) => code !== 'stamp-wrong'))
      assert.equal(translate('en')(`status:missing-because.${one.code}`, one), missingInEnglish(one))
  })

  test('say of a field of a refused letter in English what the API says of it', () => {
    const schemes = readSchemes(undefined, { demo: true })
    for (const fault of fieldFaults) {
      const named = 'scheme' in fault ? { ...fault, scheme: schemes.get(fault.scheme)!.name } : fault
      assert.equal(fieldInWords({ field: '/', message: '', fault }, schemes, 'en'), faultInEnglish(named))
    }
  })

  test('are all used, and no page asks for one that is not there', () => {
    const sources = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.(ts|njk)$/.test(file) && !file.endsWith('.test.ts'))
      .map((file) => readFileSync(path.join(import.meta.dirname, file), 'utf8'))
    // Rights are written like keys, and some like those of a namespace.
    const rights: readonly string[] = allRights
    const asked = new Set(
      sources.flatMap((source) => source.match(/(?<=["'`])[a-z][a-z-]*:[a-z][a-z0-9.-]*(?<!\.)(?=["'`])/g) ?? []),
    )
    const namespaces = Object.keys(readWords('en'))
    const known = new Set(wordsOf('en').map(([key]) => pluralOf(key)))
    // Keys that are put together, such as `errors:${code}.title`, begin like this.
    const begun = sources.flatMap((source) => source.match(/(?<=[`"'])[a-z][a-z-]*:[a-z0-9.-]*(?=\$\{|["'] [+~])/g) ?? [])
    const unknown = [...asked].filter(
      // What ends so is the beginning of one that is put together.
      (key) =>
        !/[.-]$/.test(key) &&
        namespaces.includes(key.split(':')[0]!) &&
        !known.has(key) &&
        !rights.includes(key) &&
        !begun.includes(key),
    )
    const unused = [...known].filter((key) => !asked.has(key) && !begun.some((start) => key.startsWith(start)))
    assert.deepEqual({ unknown, unused }, { unknown: [], unused: [] })
  })

  test('are there for every code that ends a key', () => {
    const approvals = Object.keys(approvalKinds)
    const ends: Record<string, readonly string[]> = {
      'staff-members:role.': staffRoles,
      'staff-members:may.': staffRoles,
      'staff-systems:scope.': scopes.map((scope) => scope.replace(':', '-')),
      'staff-systems:key.refused.': Object.keys(keyRefusals),
      'staff-webhooks:event.': messageEventTypes,
      'staff-webhooks:failure.': failures.map(({ code }) => code),
      'staff-mailings:row-faults.': rowFaults.map(({ code }) => code),
      'staff-batches:faults.': fieldFaults
        .filter((fault) => !(fault.code in problems) && !('scheme' in fault))
        .map(({ code }) => code),
      'staff-batches:csv.': errorColumns,
      'staff-reconciliation:csv.': [...dayColumns, ...lateColumns],
      'status:missing-because.': notThere.map(({ code }) => code),
      'staff-logs:look.': lookKinds,
      'staff-approvals:kind.': approvals,
      'staff-logs:approval.': approvals.flatMap((kind) =>
        ['asked', 'approved', 'refused', 'withdrawn'].map((what) => `${kind}.${what}`),
      ),
    }
    const known = new Set(wordsOf('en').map(([key]) => key))
    const missing = Object.entries(ends).flatMap(([start, codes]) =>
      codes.map((code) => start + code).filter((key) => !known.has(key)),
    )
    assert.deepEqual(missing, [])
  })
})

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { writeDocs } from './docs.ts'

test('the pages of docs/ that are made from the code are up to date (npm run docs)', async () => {
  for (const [file, text] of await writeDocs()) {
    assert.equal(readFileSync(path.join(import.meta.dirname, '..', file), 'utf8'), text, file)
  }
})

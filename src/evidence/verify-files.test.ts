import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { letterDocument, letterText, sampleReceipt } from '../../test/sample-receipt.ts'
import { verifyFiles } from './verify-files.ts'

describe('verifying files', () => {
  let folder: string
  const at = (name: string) => path.join(folder, name)
  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'digital-post-'))
    const { file, trusted } = await sampleReceipt()
    const damaged = Buffer.from(file)
    damaged[0]! ^= 1
    writeFileSync(at('a.tlog-proof'), file)
    writeFileSync(at('damaged.tlog-proof'), damaged)
    writeFileSync(at('bill.pdf'), letterDocument)
    writeFileSync(at('letter.md'), letterText)
    writeFileSync(at('other.pdf'), 'Another letter')
    writeFileSync(at('keys.json'), JSON.stringify(trusted))
    writeFileSync(at('huge'), file.subarray(0, 1_000))
    truncateSync(at('huge'), 100_000_000)
  })
  after(() => rmSync(folder, { recursive: true }))

  const verify = async (...words: string[]) => verifyFiles(words.map((word) => (word.startsWith('--') ? word : at(word))))

  test('finds the receipt among them by its first line, and ends with 0 where all holds', async () => {
    const { exitCode, text } = await verify('bill.pdf', 'a.tlog-proof', 'letter.md', '--trust', 'keys.json')
    assert.equal(exitCode, 0, text)
    assert.match(text, /^Valid\. Northfold Council .+\n\n {2}passed {2}form /)
    assert.equal(text.match(/^ {2}passed/gm)?.length, 6)
    assert.doesNotMatch(text, /came from the receipt itself/)
    assert.match((await verify('a.tlog-proof')).text, /came from the receipt itself/)
  })

  test('ends with 1 where it does not, and names the check', async () => {
    const cases: [string[], RegExp][] = [
      [['a.tlog-proof', 'other.pdf'], /^Not valid\. Content: “other\.pdf”/],
      [['damaged.tlog-proof', 'bill.pdf'], /^Not valid\. Form: /],
      [['bill.pdf'], /^Not valid\. Form: The file is no receipt/],
      [['huge'], /^Not valid\. Form: The file is larger than any receipt\./],
    ]
    for (const [words, says] of cases) {
      const { exitCode, text } = await verify(...words)
      assert.equal(exitCode, 1, words.join())
      assert.match(text, says)
      assert.match(text, /^ {2}FAILED {2}/m)
    }
  })

  test('ends with 2, and how to use it, where nothing could be verified', async () => {
    const cases = [[], ['--help'], ['--unknown'], ['a.tlog-proof', 'huge'], ['nowhere'], ['a.tlog-proof', '--trust', 'bill.pdf']]
    for (const words of cases) {
      const { exitCode, text } = await verify(...words)
      assert.equal(exitCode, 2, words.join())
      assert.match(text, /Usage: npx digital-post verify FILE…/)
    }
  })

  test('is a command that needs nothing but the files, and little time and memory', () => {
    const top = path.join(import.meta.dirname, '../..')
    const run = (...words: string[]) =>
      spawnSync(process.execPath, ['--max-old-space-size=128', ...words], { env: { DATABASE_URL: 'nothing' }, encoding: 'utf8' })
    const valid = run(path.join(top, 'src/main.ts'), 'verify', at('a.tlog-proof'), at('bill.pdf'))
    assert.equal(valid.status, 0, valid.stderr)
    assert.match(valid.stdout, /^Valid\. /)
    const huge = run(path.join(top, 'src/main.ts'), 'verify', at('huge'))
    assert.equal(huge.status, 1, huge.stderr)
    assert.match(huge.stdout, /^Not valid\. /)
    assert.equal(run(path.join(top, 'src/main.ts'), 'verify').status, 2)
  })
})

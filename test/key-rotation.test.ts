import assert from 'node:assert/strict'
import { createPublicKey } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { decodeProtectedHeader } from 'jose'
import { readConfig } from '../src/config.ts'
import { auditKeysOf } from '../src/evidence/audit.ts'
import { keyIdOf, makeKeysFile, readEvidenceKeys } from '../src/evidence/keys.ts'
import { parseNote } from '../src/evidence/note.ts'
import { openEvidence } from '../src/evidence/open-evidence.ts'
import { parseReceipt, type ReadReceipt } from '../src/evidence/receipt.ts'
import { readTrustedKeys, type TrustedKeys } from '../src/evidence/trusted-keys.ts'
import { verifyReceipt } from '../src/evidence/verify.ts'
import { createTestDatabase, type TestDatabase } from './database.ts'
import { judgeEvidence, type Told } from './judge-evidence.ts'
import { Fleet, type Running, sendMeanwhile } from './kill-programs.ts'
import { startLogWitness } from './log-witness.ts'

type Keys = Record<'seal' | 'log', { privateKey: string }> & Record<'formerSealKeys' | 'formerLogKeys', string[]>

/** Until something is so that is soon: the test fails where it is not. */
const soonMs = 60_000
const lettersOfAll = 12

const publicKeyOf = ({ privateKey }: { privateKey: string }) =>
  createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString()

let test_: TestDatabase
let witness: Awaited<ReturnType<typeof startLogWitness>>
let folder: string
let keysFile: string
before(async () => {
  test_ = await createTestDatabase()
  witness = await startLogWitness()
  folder = mkdtempSync(path.join(tmpdir(), 'dp-'))
  keysFile = path.join(folder, 'keys.json')
})
after(async () => {
  witness.stop()
  rmSync(folder, { recursive: true })
  await test_.drop()
})

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + soonMs; !(await isSo()); await sleep(20)) {
    assert.ok(performance.now() < end, `not within ${soonMs} ms: ${what}`)
  }
}

/** By which keys each batch of the log was sealed and signed, in order. */
async function readSigners(): Promise<{ seal: string; log: number }[]> {
  const batches = await test_.owner<{ batch: string; note: string }[]>`select batch, note from log_checkpoint order by size`
  return batches.map(({ batch, note }) => ({ seal: decodeProtectedHeader(batch).kid!, log: parseNote(note)!.signatures[0]!.id }))
}

/** Whether who has the key of before has gone on after who has the new one had begun. */
function areMixed(keys: readonly unknown[]): boolean {
  return new Set(keys).size === 2 && keys.lastIndexOf(keys[0]) > keys.findIndex((key) => key !== keys[0])
}

async function publishedBy({ program }: Running): Promise<TrustedKeys> {
  const keys = readTrustedKeys(await (await fetch(`${program.baseUrl}/log/keys.json`)).json())
  assert.ok(typeof keys !== 'string', String(keys))
  return keys
}

/** All receipts of a letter, as its sender has them from one of the programs; waits for those that are under way. */
async function takeReceipts({ program, token }: Running, id: string): Promise<Buffer[]> {
  const get = (url: string) => fetch(`${program.baseUrl}${url}`, { headers: { authorization: `Bearer ${token}` } })
  const { evidence } = (await (await get(`/v1/messages/${id}/evidence`)).json()) as { evidence: { links: { receipt: string } }[] }
  const receipts: Buffer[] = []
  for (const { links } of evidence) {
    await until('a receipt', async () => {
      const answer = await get(links.receipt)
      const body = Buffer.from(await answer.arrayBuffer())
      assert.ok([200, 409].includes(answer.status), `${answer.status} ${body}`)
      if (answer.status === 200) receipts.push(body)
      return answer.status === 200
    })
  }
  return receipts
}

function assertValid(receipts: readonly Buffer[], keys: TrustedKeys): void {
  for (const receipt of receipts) {
    const { isValid, sentence } = verifyReceipt(receipt, [], keys)
    assert.ok(isValid, sentence)
  }
}

/** The operator of two programs on one database. */
async function startOperating(keys: Keys) {
  const fleet = new Fleet(test_.url)
  const write = (changed: Keys) => writeFileSync(keysFile, JSON.stringify(changed))
  const start = () => fleet.start({ EVIDENCE_KEYS_FILE: keysFile, LOG_WITNESSES: witness.setting })
  write(keys)
  await Promise.all([start(), start()])
  const both = async () => [await fleet.pick(0), await fleet.pick(1)] as const
  /** Receipts of the newest letter, from either program, valid by what either publishes at this moment. */
  const look = async (told: Told) => {
    const newest = [...told.accepted].at(-1)!
    const taken: Buffer[] = []
    for (const one of await both()) taken.push(...(await takeReceipts(one, newest)))
    for (const one of await both()) assertValid(taken, await publishedBy(one))
    return taken
  }
  return {
    fleet,
    look,
    published: async () => Promise.all((await both()).map(publishedBy)),
    /** One after the other, the first by SIGTERM and the second by kill -9. In between one has the file of before and one has this. */
    async restartAll(told: Told, changed: Keys, isMixed: () => Promise<boolean>) {
      write(changed)
      await fleet.end(await fleet.pick(0), 'SIGTERM')
      await start()
      await until('both went on with the log', isMixed)
      const taken = await look(told)
      await fleet.end(await fleet.pick(0), 'SIGKILL')
      await start()
      return [...taken, ...(await look(told))]
    },
  }
}

/** What docs/running.md says under "Changing a key" from step 2 on, first for the one that seals and then for the one of the log. */
async function rotate(operator: Awaited<ReturnType<typeof startOperating>>, told: Told, announced: Keys, next: Keys) {
  await until('the log has begun', async () => told.accepted.size > 0 && (await readSigners()).length > 0)
  witness.trust((await operator.published())[0]!.log)
  const receipts = await operator.look(told)

  const sealed = { ...announced, seal: next.seal, formerSealKeys: [publicKeyOf(announced.seal)] }
  const areSealsMixed = async () => areMixed((await readSigners()).map(({ seal }) => seal))
  receipts.push(...(await operator.restartAll(told, sealed, areSealsMixed)))

  const signed = { ...sealed, log: next.log, formerLogKeys: [publicKeyOf(announced.log)] }
  const areNotesMixed = async () => areMixed((await readSigners()).map(({ log }) => log))
  receipts.push(...(await operator.restartAll(told, signed, areNotesMixed)))

  // And those of before and during it once more, as they are made afterwards.
  const all = [...told.accepted]
  const some = all.filter((_, place) => place % Math.ceil(all.length / lettersOfAll) === 0)
  for (const id of some) receipts.push(...(await takeReceipts(await operator.fleet.pick(0), id)))
  return { receipts, published: await operator.published(), keys: signed }
}

test('keys are exchanged while letters are sent, and what was sealed by any of them can be checked', {
  timeout: 1_800_000,
}, async () => {
  const [old, next] = [makeKeysFile() as Keys, makeKeysFile() as Keys]
  const announced = { ...old, formerSealKeys: [publicKeyOf(next.seal)], formerLogKeys: [publicKeyOf(next.log)] }
  const operator = await startOperating(announced)
  let rotated: Awaited<ReturnType<typeof rotate>> | undefined
  const told = await sendMeanwhile(test_, operator.fleet, async (told) => {
    rotated = await rotate(operator, told, announced, next)
  })
  const { receipts, published, keys } = rotated!

  const auditKeys = await auditKeysOf(test_.owner, openEvidence(readConfig({ DEMO: 'true', EVIDENCE_KEYS_FILE: keysFile })))
  assert.deepEqual(await judgeEvidence(test_.owner, auditKeys, told), [])
  assert.ok(told.accepted.size >= 60 && told.opened.size > 5 && told.checkpoints.size > 5, 'there was something to judge')
  assert.deepEqual(witness.refused, [])

  const kids = [old, next].map(({ seal }) => keyIdOf(createPublicKey(seal.privateKey))).sort()
  for (const { seal, log } of published) {
    assert.deepEqual(seal.map(({ kid }) => kid).sort(), kids)
    assert.equal(log.length, 2)
  }
  assertValid(receipts, published[0]!)
  const used = receipts.map((receipt) => (parseReceipt(receipt) as ReadReceipt).keys)
  assert.deepEqual([...new Set(used.map(({ seal }) => seal.kid))].sort(), kids)
  assert.deepEqual([...new Set(used.map(({ log }) => log))].sort(), [...published[0]!.log].sort())

  // The judge and the verifier are worth something only if they miss a key that is left out.
  const without = { ...auditKeys, sealKeys: readEvidenceKeys({ ...keys, formerSealKeys: [] }).sealKeys }
  assert.match(String(await judgeEvidence(test_.owner, without, told)), /has no seal of ours/)
  assert.match(
    String(await judgeEvidence(test_.owner, { ...auditKeys, logKeys: auditKeys.logKeys.slice(0, 1) }, told)),
    /is not what the log signs/,
  )
  const seal = published[0]!.seal.filter(({ kid }) => kid === kids[0])
  assert.throws(() => assertValid(receipts, { ...published[0]!, seal }))
})

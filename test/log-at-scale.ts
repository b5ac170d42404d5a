import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readConfig } from '../src/config.ts'
import { connect, type Database } from '../src/database/connect.ts'
import { addressFor, connectOwner, deriveLogins } from '../src/database/roles.ts'
import { acceptOne } from '../src/delivery/accept.ts'
import { deriveEvidenceKeys, logVerifierKeys } from '../src/evidence/keys.ts'
import { type SequenceOptions, sequence } from '../src/evidence/sequence.ts'
import { createTestDatabase, type TestDatabase } from './database.ts'
import { judgeEvidence, nothingTold, type Told } from './judge-evidence.ts'
import { eventsOf, loadLetters } from './load-letters.ts'
import { buildPost, type Post } from './post.ts'

const sequencers = 3
const loaders = 2
const lettersAtOnce = 500
/** So many of the transactions that load are rolled back: their positions are never there. */
const rolledBackEvery = 10

const keys = deriveEvidenceKeys(Buffer.alloc(32, 7))
const options: SequenceOptions = {
  origin: 'post.example/log',
  issuer: { name: 'Digital Post', uri: 'https://post.example', people: 'p', staff: 's', systems: 'y' },
  isAttested: false,
}

export type AtScale = { events: number; sequencedS: number; judgedS: number; entries: number; rootS: number }

/**
 * Puts at least so many events into the log: letters are loaded and accepted, and several sequencers run, all at once. Then asserts that the judge
 * finds nothing missing, nothing twice, and nothing that is not as it was sealed; and that the log's root is the one that its entries give,
 * worked out by the code below, which shares nothing with src/evidence.
 */
export async function putIntoLog(events: number): Promise<AtScale> {
  const test = await createTestDatabase()
  try {
    const post = await buildPost(test)
    const began = performance.now()
    const { told, count } = await writeAndSequence(test, post, Math.ceil((events * 2) / 5))
    const sequenced = performance.now()
    const [row] = await test.owner`set enable_seqscan = on`.then(() => test.owner`select count(*)::int as events from event`)
    assert.equal(row!.events, count, 'every event that was committed is there')
    const auditKeys = { sealKeys: keys.sealKeys, logKeys: logVerifierKeys(keys, options.origin) }
    const owner = connectOwner(test.url, 2)
    assert.deepEqual(await judgeEvidence(owner, auditKeys, told).finally(() => owner.end()), [])
    const judged = performance.now()
    const { entries, root } = await rootOfEntries(test.owner)
    const [last] = await test.owner<{ note: string }[]>`select note from log_checkpoint order by size desc limit 1`
    assert.deepEqual([String(entries), root.toString('base64')], last!.note.split('\n').slice(1, 3))
    const seconds = (from: number, to: number) => (to - from) / 1_000
    return {
      events: count,
      sequencedS: seconds(began, sequenced),
      judgedS: seconds(sequenced, judged),
      entries,
      rootS: seconds(judged, performance.now()),
    }
  } finally {
    await test.drop()
  }
}

/** Answers how many events were committed. */
async function writeAndSequence(test: TestDatabase, post: Post, letters: number): Promise<{ told: Told; count: number }> {
  const told = nothingTold()
  const program = addressFor(test.url, deriveLogins(readConfig({ DEMO: 'true' }).secretKey).program)
  const pools = Array.from({ length: sequencers }, () => connect(program, 1))
  let [first, count, isWritten] = [0, 0, false]
  const load = async () => {
    const owner = connectOwner(test.url, 1)
    for (let batch = 1; first < letters; batch += 1) {
      const [from, number] = [first, Math.min(lettersAtOnce, letters - first)]
      first += number
      if (batch % rolledBackEvery === 0) await loadAndRollBack(owner, post, from, number)
      await loadLetters(owner, loadOf(post), from, number)
      count += eventsOf(number)
    }
    await owner.end()
  }
  const accept = async () => {
    for (let number = 0; first < letters; number += 1) {
      const { messageId } = await acceptOne(post.db, post.keys, post.council, post.letter(`single-${number}`), new Date())
      told.accepted.add(messageId)
      count += 2
    }
  }
  const keepSequencing = async (db: Database) => {
    while (!isWritten || (await sequence(db, keys, options, new Date())) > 0) {
      if (!isWritten) await sequence(db, keys, options, new Date())
    }
  }
  const running = pools.map(keepSequencing)
  await Promise.all([...Array.from({ length: loaders }, load), accept()])
  isWritten = true
  await Promise.all(running)
  // Another may have had its turn when one found nothing to do.
  while ((await sequence(pools[0]!, keys, options, new Date())) > 0);
  await Promise.all(pools.map((pool) => pool.end()))
  return { told, count }
}

function loadOf({ serviceId, council, rosa }: Post) {
  return { serviceId, organisationId: council.partyId, mailboxId: rosa.mailboxId, recipientName: 'Rosa Example' }
}

async function loadAndRollBack(owner: Database, post: Post, first: number, letters: number): Promise<void> {
  const given = new Error('given up')
  await owner
    .begin(async (sql) => {
      await loadLetters(sql as unknown as Database, loadOf(post), first, letters)
      throw given
    })
    .catch((error) => {
      if (error !== given) throw error
    })
}

/**
 * The root of RFC 6962 over all entries. The tree is what a counter in binary is: for each 1 in the number of leaves so far there is one
 * complete subtree, and a new leaf carries over.
 */
async function rootOfEntries(owner: Database): Promise<{ entries: number; root: Buffer }> {
  const sha256 = (...parts: Uint8Array[]) => {
    const hash = createHash('sha256')
    for (const part of parts) hash.update(part)
    return hash.digest()
  }
  const [leafPrefix, nodePrefix] = [Buffer.from([0]), Buffer.from([1])]
  const complete: (Buffer | undefined)[] = []
  let entries = 0
  for (let next = 0; ; ) {
    const bundles = await owner<{ index: string; bytes: Buffer }[]>`
      select index, bytes from log_entries where index >= ${next} order by index limit 200`
    if (bundles.length === 0) break
    for (const { bytes } of bundles) {
      for (let at = 0; at < bytes.length; ) {
        const length = 256 * bytes[at]! + bytes[at + 1]!
        let carried = sha256(leafPrefix, bytes.subarray(at + 2, at + 2 + length))
        let level = 0
        for (; complete[level] !== undefined; level += 1) {
          carried = sha256(nodePrefix, complete[level]!, carried)
          complete[level] = undefined
        }
        complete[level] = carried
        entries += 1
        at += 2 + length
      }
    }
    next = Number(bundles.at(-1)!.index) + 1
  }
  const subtrees = complete.filter((subtree) => subtree !== undefined)
  return { entries, root: subtrees.reduce((right, left) => sha256(nodePrefix, left, right)) }
}

import assert from 'node:assert/strict'
import { text } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { addClerk } from '../../test/department.ts'
import { buildPost, type Post } from '../../test/post.ts'
import type { Actor } from '../access/actor.ts'
import type { StaffRole } from '../access/rights.ts'
import { readEvents } from '../evidence/events.ts'
import { find } from '../mailbox/find.ts'
import { listActions } from '../mailbox/list-actions.ts'
import { open } from '../mailbox/open.ts'
import { type Approval, decideApproval, type Effects, listApprovals } from '../registry/approval.ts'
import { listServiceLog } from '../registry/service-log.ts'
import { acceptBatch } from './accept-batch.ts'
import { type BatchStage, stageOf } from './batch.ts'
import { changeBatch } from './change-batch.ts'
import { createBatch } from './create-batch.ts'
import { decideApprovedBatch, decideBatch } from './decide-batch.ts'
import { findBatch } from './find-batches.ts'
import type { Submission } from './message.ts'
import { recall } from './recall.ts'
import { reconcile } from './reconcile.ts'
import { releaseAll } from './release.ts'
import { findSent } from './sent.ts'
import { countRecipients, findWithheld, readWithheld, readWithheldFile, sampleHeld } from './withheld.ts'
import type { Accepted } from './write.ts'

const now = new Date('2026-11-23T10:00:00Z')
const soon = new Date('2026-11-23T11:00:00Z')
const reason = 'The amounts are wrong'
const nobody = () => {
  throw new Error('is not asked for here')
}
const effects: Effects = {
  client: nobody,
  'client-key': nobody,
  'batch-release': decideApprovedBatch,
  'batch-recall': decideApprovedBatch,
}

describe('a batch that is held', () => {
  let test_: TestDatabase
  let post: Post
  /** Of one who writes for the service by themselves, of two for parking, which wants two. */
  let [anna, bo, carl]: Actor[] = []
  let reader: Actor
  before(async () => {
    test_ = await createTestDatabase()
    post = await buildPost(test_)
    const clerk = (name: string, role: StaffRole) => addClerk(post, name, [{ serviceId: post.serviceId, role }])
    anna = await clerk('Anna', 'post-writer')
    bo = await clerk('Bo', 'post-writer')
    carl = await clerk('Carl', 'post-writer')
    reader = await clerk('Reader', 'post-reader')
  })
  after(() => test_.drop())

  const wantTwo = (isWanted: boolean) => post.owner`update service set release_by_two = ${isWanted} where id = ${post.serviceId}`
  const begin = (reference: string, more: { hold?: boolean } = {}) => {
    const batch = { serviceId: post.serviceId, reference, name: reference, lane: 'bulk', hold: true, ...more } as const
    return createBatch(post.db, post.council, batch, now)
  }
  const fill = async (reference: string, letters: Partial<Submission>[], more: { hold?: boolean } = {}) => {
    const batch = await begin(reference, more)
    const lines = letters.map((letter, place) => {
      const submission = { ...post.letter(`${reference}-${place}`), ...letter }
      return { line: place + 1, reference: submission.reference, submission }
    })
    const outcomes = (await acceptBatch(post.db, post.keys, post.council, batch, lines, lines.length, now)) as Accepted[]
    return { id: batch.id, ids: outcomes.map(({ messageId }) => messageId), outcomes }
  }
  const close = (id: string) => changeBatch(post.db, post.council, id, 'close', now)
  const closed = async (reference: string, letters: Partial<Submission>[] = [{}, {}, {}]) => {
    const batch = await fill(reference, letters)
    await close(batch.id)
    return batch
  }
  const release = (by: Actor | undefined, batchId: string) => decideBatch(post.db, by!, { batchId, decision: 'release' }, soon)
  const takeBack = (by: Actor | undefined, batchId: string) =>
    decideBatch(post.db, by!, { batchId, decision: 'recall', reason }, soon)
  const approve = (by: Actor | undefined, approvalId: string, decision: Approval['decision'] = 'approved') =>
    decideApproval(post.db, by!, { approvalId, decision: decision! }, effects, soon)
  const asked = async (answer: Awaited<ReturnType<typeof decideBatch>>) => {
    assert.notEqual(answer, 'decided')
    return (answer as { approvalId: string }).approvalId
  }
  const work = (at = soon) => releaseAll(post.db, () => at)
  /** It asks for the time once for each step, and is stopped in the midst of it. */
  const workUntilAsked = async (times: number) => {
    const stopping = new AbortController()
    let asked = 0
    const clock = () => {
      asked += 1
      if (asked === times) stopping.abort()
      return soon
    }
    await releaseAll(post.db, clock, stopping.signal)
  }
  const inMailbox = async (ids: readonly string[]) => {
    const rows = await post.owner`select from message where id = any(${ids as string[]}::uuid[]) and recalled_at is null`
    return rows.length
  }
  const stageIs = async (id: string, stage: BatchStage) => assert.equal(stageOf(await findBatch(post.db, anna!, id)), stage)
  const eventsOf = async (messageId: string) =>
    (await readEvents(post.db, [post.serviceId], '0', 10_000))
      .filter((event) => event.messageId === messageId)
      .map(({ type }) => type)

  describe('keeps its letters', () => {
    test('from their recipients, with all that they bring, and tells nobody of them', async () => {
      const actions = [{ kind: 'confirm', label: { en: 'Confirm who lives with you' } }] as const
      const { id, ids, outcomes } = await closed('kept', [{ actions: [...actions] }, {}])
      assert.deepEqual(
        outcomes.map(({ availableAt }) => availableAt),
        [null, null],
      )
      await work()
      assert.equal(await inMailbox(ids), 0)
      for (const messageId of ids) await assert.rejects(find(post.db, post.rosa, messageId), { code: 'not-found' })
      assert.deepEqual(Object.values((await listActions(post.db, post.rosa, now)).waiting).flat(), [])
      assert.deepEqual(await eventsOf(ids[0]!), ['message.accepted'])
      await stageIs(id, 'held')
      const { accepted, progress } = await findBatch(post.db, anna!, id)
      assert.deepEqual([accepted, progress], [2, { held: 2, available: 0, opened: 0, answered: 0, recalled: 0, failed: 0 }])
    })

    test('as pending in the reconciliation, and does not call them late', async () => {
      const { ids } = await closed('reconciled')
      const { days, late } = await reconcile(post.db, anna!, { from: '2026-11-23', to: '2026-11-23' }, 60, soon)
      const [{ accepted, available, failed, recalled, pending }] = days as [(typeof days)[number]]
      assert.ok(pending >= 3)
      assert.equal(accepted, available + failed + recalled + pending)
      assert.deepEqual(
        late.filter(({ messageId }) => ids.includes(messageId)),
        [],
      )
    })

    test('also where only its service wants that, and never less than its sender asked for', async () => {
      await post.owner`update service set hold_batches = true where id = ${post.serviceId}`
      assert.equal((await begin('by-service', { hold: false })).hold, true)
      await post.owner`update service set hold_batches = false where id = ${post.serviceId}`
      assert.equal((await begin('by-service', { hold: false })).isNew, false)
      assert.equal((await begin('not-held', { hold: false })).hold, false)
      await assert.rejects(begin('not-held', { hold: true }), { code: 'reference-used' })
    })

    test('and gives the same answer to each that is sent again', async () => {
      const first = await fill('again', [{}, {}])
      const second = await fill('again', [{}, {}])
      assert.deepEqual(second.ids, first.ids)
      assert.equal((await findBatch(post.db, anna!, first.id)).accepted, 2)
    })
  })

  describe('is looked at', () => {
    test('by a sample that is of its own letters, and another each time', async () => {
      const many = Array.from({ length: 40 }, (_, place) => ({ subject: `Bill ${place}` }))
      const { id, ids } = await closed('sampled', many)
      const samples = await Promise.all([1, 2, 3].map(() => sampleHeld(post.db, reader, id)))
      for (const sample of samples) {
        assert.equal(new Set(sample.map(({ messageId }) => messageId)).size, 10)
        assert.ok(sample.every(({ messageId }) => ids.includes(messageId)))
      }
      assert.ok(new Set(samples.flat().map(({ messageId }) => messageId)).size > 10)
      assert.equal(await countRecipients(post.db, reader, id), 1)
      assert.deepEqual(await sampleHeld(post.db, post.clerk([post.parkingId]), id), [])
      assert.deepEqual(await sampleHeld(post.db, post.rosa, id), [])
    })

    test('with its languages, documents and what it asks', async () => {
      const content = [
        { language: 'en', body: 'Hello' },
        { language: 'cy', subject: 'Eich bil', body: 'Helo' },
      ]
      const file = { filename: 'note.txt', mediaType: 'text/plain', content: Buffer.from('hello').toString('base64') }
      const documents = [{ role: 'main', files: [file] }] as Submission['documents']
      const actions = [{ kind: 'confirm', label: { en: 'Confirm who lives with you' } }] as Submission['actions']
      const { ids } = await closed('whole', [{ content, documents, actions }])
      const letter = await findWithheld(post.db, reader, ids[0]!)
      assert.deepEqual(
        letter.content.map(({ language, subject }) => [language, subject]),
        [
          ['en', 'Your bill'],
          ['cy', 'Eich bil'],
        ],
      )
      assert.deepEqual(
        letter.actions.map(({ kind, said, state }) => [kind, said.label.en, state]),
        [['confirm', 'Confirm who lives with you', 'open']],
      )
      const { id } = letter.documents[0]!.files[0]!
      const { bytes } = await readWithheldFile(post.db, reader, ids[0]!, id, now)
      assert.equal(await text(bytes), 'hello')
      for (const other of [post.clerk([post.parkingId]), post.rosa, post.arthur])
        await assert.rejects(readWithheldFile(post.db, other, ids[0]!, id, now), { code: 'not-found' })
    })

    test('and the log of the service says who did, and not the recipient’s, who knows nothing of it', async () => {
      const { ids } = await closed('logged', [{}])
      await readWithheld(post.db, reader, ids[0]!, now)
      const logReader = await addClerk(post, 'Log', [{ serviceId: post.serviceId, role: 'log-reader' }])
      const { entries } = await listServiceLog(post.db, logReader, {})
      assert.ok(entries.some(({ source, what, byName }) => source === 'look' && what === 'read' && byName === 'Reader'))
      const looks = await post.owner`select from look where message_id = ${ids[0]!} and party_id = ${post.rosa.partyId}`
      assert.equal(looks.length, 0)
    })
  })

  describe('is released', () => {
    test('by one who may write for its service, and each letter is then available, once', async () => {
      const { id, ids } = await closed('released')
      assert.equal(await release(anna, id), 'decided')
      await stageIs(id, 'releasing')
      await Promise.all([work(), work(), work()])
      await stageIs(id, 'released')
      assert.equal(await inMailbox(ids), 3)
      for (const messageId of ids) assert.deepEqual(await eventsOf(messageId), ['message.accepted', 'message.available'])
      const found = await findBatch(post.db, anna!, id)
      assert.deepEqual([found.progress?.held, found.progress?.available, found.releasedByName], [0, 3, 'Anna'])
      assert.equal(await release(bo, id), 'decided', 'again is harmless')
      assert.equal((await findBatch(post.db, anna!, id)).releasedByName, 'Anna')
    })

    test('and the log of the service says who did, as it does of what is discarded or taken back', async () => {
      const [alone, gone, both] = [await closed('alone'), await closed('gone'), await closed('both')]
      await release(anna, alone.id)
      await takeBack(bo, alone.id)
      await takeBack(carl, gone.id)
      await wantTwo(true)
      await approve(bo, await asked(await release(anna, both.id)))
      await wantTwo(false)
      const reading = (serviceId: string) => addClerk(post, 'Log', [{ serviceId, role: 'log-reader' }])
      const { entries } = await listServiceLog(post.db, await reading(post.serviceId), {})
      const saidOf = (name: string) =>
        entries.filter(({ about }) => about === name).map(({ source, what, byName }) => `${byName} ${source} ${what}`)
      assert.deepEqual(saidOf('alone').sort(), ['Anna batch released', 'Bo batch taken-back'])
      assert.deepEqual(saidOf('gone'), ['Carl batch discarded'])
      assert.deepEqual(saidOf('both').sort(), ['Anna approval asked', 'Bo approval approved'], 'what two decided is said once')
      assert.deepEqual((await listServiceLog(post.db, await reading(post.parkingId), {})).entries, [])
    })

    test('by two at once, once', async () => {
      const { id, ids } = await closed('raced')
      assert.deepEqual(await Promise.all([release(anna, id), release(bo, id)]), ['decided', 'decided'])
      await work()
      assert.equal(await inMailbox(ids), 3)
    })

    test('a step at a time, by several processes, and goes on from where a kill ended it', async () => {
      const { id, ids } = await closed(
        'steps',
        Array.from({ length: 1_201 }, () => ({})),
      )
      await release(anna, id)
      await workUntilAsked(3)
      const midway = await findBatch(post.db, anna!, id)
      assert.ok(midway.progress!.held > 0 && midway.progress!.held < 1_201, String(midway.progress!.held))
      assert.equal(stageOf(midway), 'releasing')
      await Promise.all([work(), work()])
      const { progress } = await findBatch(post.db, anna!, id)
      assert.deepEqual([progress!.held, progress!.available], [0, 1_201])
      assert.equal(await inMailbox(ids), 1_201)
    })

    test('with letters for a later time, which come at theirs', async () => {
      const availableFrom = '2026-11-25T10:00:00Z'
      const { id, ids } = await closed('later', [{ availableFrom }, {}])
      assert.equal((await findSent(post.db, anna!, { messageId: ids[0]! }))[0]!.pendingBecause, 'held')
      await release(anna, id)
      await work()
      assert.equal(await inMailbox(ids), 1)
      const [sent] = await findSent(post.db, anna!, { messageId: ids[0]! })
      assert.equal(sent!.pendingBecause, 'scheduled')
      await work(new Date(availableFrom))
      assert.equal(await inMailbox(ids), 2)
    })

    test('without those that were taken back meanwhile, and fails for who has left', async () => {
      const leaver = await post.addPerson('CT-LEFT')
      const { id, ids } = await closed('fewer', [{}, {}, { recipient: { scheme: 'link', value: 'CT-LEFT' } }])
      await recall(post.db, anna!, { messageId: ids[0]!, reason }, now)
      await post.owner`update mailbox set registration = 'exempt' where id = ${leaver.mailboxId}`
      await release(anna, id)
      await work()
      const { progress } = await findBatch(post.db, anna!, id)
      assert.deepEqual(progress, { held: 0, available: 1, opened: 0, answered: 0, recalled: 1, failed: 1 })
    })

    test('only when it takes no more letters, and only where it is held', async () => {
      const { id } = await fill('still-open', [{}])
      await assert.rejects(release(anna, id), { code: 'batch-open' })
      const free = await fill('never-held', [{}], { hold: false })
      await close(free.id)
      await assert.rejects(release(anna, free.id), { code: 'action-not-possible' })
    })

    test('by nobody who may only read, or is of another service, a person least of all', async () => {
      const { id } = await closed('not-theirs')
      await assert.rejects(release(reader, id), { code: 'scope-missing' })
      for (const other of [post.clerk([post.parkingId]), post.rosa])
        await assert.rejects(release(other, id), { code: 'not-found' })
      await stageIs(id, 'held')
    })
  })

  describe('where its service wants two people', () => {
    before(() => wantTwo(true))
    after(() => wantTwo(false))

    test('is released when another approves what one has asked for, and not before', async () => {
      const { id, ids } = await closed('two')
      const approvalId = await asked(await release(anna, id))
      await work()
      assert.equal(await inMailbox(ids), 0)
      await stageIs(id, 'held')
      assert.deepEqual(
        (await listApprovals(post.db, bo!, soon)).map((one) => [one.id, one.kind, one.isOwn]),
        [[approvalId, 'batch-release', false]],
      )
      assert.deepEqual(await listApprovals(post.db, reader, soon), [])
      await assert.rejects(approve(anna, approvalId), { code: 'not-found' })
      await stageIs(id, 'held')
      assert.equal(await approve(bo, approvalId), 'decided')
      await work()
      assert.equal(await inMailbox(ids), 3)
      assert.equal((await findBatch(post.db, anna!, id)).releasedByName, 'Anna and Bo')
    })

    test('is asked for once, also by two at once', async () => {
      const { id } = await closed('asked-once')
      const answers = await Promise.all([release(anna, id), release(anna, id), release(bo, id)])
      const ids = await Promise.all(answers.map(asked))
      assert.equal(new Set(ids).size, 1)
    })

    test('is released once where two approve at once, and not where one has refused', async () => {
      const { id } = await closed('approved-twice')
      const approvalId = await asked(await release(anna, id))
      const answers = await Promise.all([approve(bo, approvalId), approve(carl, approvalId)])
      assert.deepEqual(answers.sort(), ['decided', 'over'])
      const other = await closed('refused')
      const refused = await asked(await release(anna, other.id))
      await approve(bo, refused, 'refused')
      assert.equal(await approve(carl, refused), 'over')
      await stageIs(other.id, 'held')
      assert.notEqual(await asked(await release(anna, other.id)), refused, 'it may be asked for again')
    })

    test('is discarded by one, and what was asked for is over with that', async () => {
      const { id, ids } = await closed('asked-and-discarded')
      const approvalId = await asked(await release(anna, id))
      assert.equal(await takeBack(carl, id), 'decided')
      assert.equal(await approve(bo, approvalId), 'over')
      await work()
      assert.equal(await inMailbox(ids), 0)
      await stageIs(id, 'taken-back')
    })

    test('approved and discarded at once, is one of them', async () => {
      for (let round = 0; round < 5; round += 1) {
        const { id, ids } = await closed(`both-${round}`)
        const approvalId = await asked(await release(anna, id))
        const [approved] = await Promise.allSettled([approve(bo, approvalId), takeBack(carl, id)])
        assert.equal(approved.status, 'fulfilled')
        await work()
        const isReleased = approved.status === 'fulfilled' && approved.value === 'decided'
        assert.equal(await inMailbox(ids), isReleased ? 3 : 0)
        await stageIs(id, isReleased ? 'released' : 'taken-back')
      }
    })

    test('is taken back, once it is released, by two', async () => {
      const { id, ids } = await closed('two-back')
      await approve(bo, await asked(await release(anna, id)))
      await work()
      const approvalId = await asked(await takeBack(bo, id))
      await work()
      assert.equal(await inMailbox(ids), 3)
      await approve(anna, approvalId)
      await work()
      await stageIs(id, 'taken-back')
      assert.equal((await findBatch(post.db, anna!, id)).progress?.recalled, 3)
    })
  })

  describe('is discarded', () => {
    test('with the evidence of each letter, and none ever comes to a mailbox', async () => {
      const { id, ids } = await closed('discarded')
      assert.equal(await takeBack(anna, id), 'decided')
      await work()
      await work()
      assert.equal(await inMailbox(ids), 0)
      for (const messageId of ids) assert.deepEqual(await eventsOf(messageId), ['message.accepted', 'message.recalled'])
      const [event] = await post.owner`select facts from event where message_id = ${ids[0]!} and type = 'message.recalled'`
      assert.deepEqual(event!.facts.reasons, [{ code: 'recalled', reason }])
      assert.deepEqual([event!.facts.by.name, event!.facts.door], ['Anna', 'department-pages'])
      await assert.rejects(release(anna, id), { code: 'action-not-possible' })
      assert.deepEqual((await findBatch(post.db, anna!, id)).progress, {
        held: 0,
        available: 0,
        opened: 0,
        answered: 0,
        recalled: 3,
        failed: 0,
      })
    })

    test('while it still takes letters, and takes none from then on', async () => {
      const { id } = await fill('stopped', [{}])
      await takeBack(anna, id)
      const [outcome] = (await fill('stopped', [{ reference: 'one-more' }])).outcomes
      assert.equal((outcome as unknown as { code: string }).code, 'batch-over')
      assert.equal((await findBatch(post.db, anna!, id)).state, 'stopped')
    })
  })

  describe('that was released is taken back', () => {
    test('but for letters that were opened, and what the others said is gone', async () => {
      const actions = [{ kind: 'confirm', label: { en: 'Confirm who lives with you' } }] as Submission['actions']
      const { id, ids } = await closed('back', [{}, { actions }, { actions }])
      await release(anna, id)
      await work()
      await open(post.db, post.rosa, ids[0]!, soon)
      await takeBack(bo, id)
      await Promise.all([work(), work()])
      await stageIs(id, 'taken-back')
      const letters = await Promise.all(ids.map((messageId) => find(post.db, post.rosa, messageId)))
      assert.deepEqual(
        letters.map(({ subject, recallReason }) => [subject, recallReason]),
        [
          ['Your bill', null],
          ['', reason],
          ['', reason],
        ],
      )
      for (const messageId of ids.slice(1)) {
        assert.deepEqual(await eventsOf(messageId), ['message.accepted', 'message.available', 'message.recalled'])
        assert.equal((await findWithheld(post.db, anna!, messageId)).actions.length, 1, 'each with what it asked itself')
      }
    })

    test('while its release is under way: what waits never comes', async () => {
      const letters = Array.from({ length: 1_100 }, () => ({}))
      const { id, ids } = await closed('midway', letters)
      await release(anna, id)
      await workUntilAsked(3)
      assert.equal((await findBatch(post.db, anna!, id)).progress!.available, 500)
      await takeBack(bo, id)
      await work()
      const { progress } = await findBatch(post.db, anna!, id)
      assert.deepEqual([progress!.held, progress!.available, progress!.recalled], [0, 500, 1_100])
      assert.equal(await inMailbox(ids), 0)
    })

    test('with a letter and the one that corrects it, both', async () => {
      const first = await fill('corrected', [{}])
      await close(first.id)
      await release(anna, first.id)
      await work()
      const second = await fill('correcting', [{}, { corrects: first.ids[0]! }], { hold: false })
      await takeBack(bo, second.id)
      await work()
      assert.equal((await find(post.db, post.rosa, first.ids[0]!)).correctedById, null)
      assert.equal((await findBatch(post.db, anna!, second.id)).progress?.recalled, 2)
    })
  })
})

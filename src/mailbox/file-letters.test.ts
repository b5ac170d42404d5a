import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import { v7 as newId } from 'uuid'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { buildPost, type Post } from '../../test/post.ts'
import type { Actor } from '../access/actor.ts'
import { rightsOf } from '../access/rights.ts'
import { acceptOne } from '../delivery/accept.ts'
import { Problem } from '../problems.ts'
import { changeFolder, deleteFolder, listFolders, makeFolder } from './change-folders.ts'
import { eraseLetters, eraseOldFromBins } from './erase.ts'
import { fileLetters, findFiling, undoFiling, waysToFile } from './file-letters.ts'
import { find } from './find.ts'
import { listFolder, listInbox } from './list.ts'
import { findPlace, writeNote } from './note.ts'
import { open } from './open.ts'
import { readState, readStates } from './watch-mailboxes.ts'

const noon = Date.parse('2026-11-23T12:00:00Z')
const day = 24 * 60 * 60_000
const at = (seconds: number) => new Date(noon + seconds * 1000)

describe('filing letters', () => {
  let test_: TestDatabase
  let post: Post
  let links = 10
  before(async () => {
    test_ = await createTestDatabase()
    post = await buildPost(test_)
  })
  after(() => test_.drop())

  /** A new person, with so many letters. */
  const withLetters = async (count: number, more: object = {}): Promise<{ owner: Actor; ids: string[] }> => {
    links += 1
    const owner = await post.addPerson(`CT-${links}`)
    const ids: string[] = []
    for (let n = 0; n < count; n += 1) {
      const letter = { ...post.letter(`${links}-${n}`), recipient: { scheme: 'link', value: `CT-${links}` }, ...more }
      ids.push((await acceptOne(post.db, post.keys, post.council, letter, at(n))).messageId)
    }
    return { owner, ids }
  }
  const helper = (owner: Actor, services: 'all' | string[] = 'all', role: 'reader' | 'writer' = 'reader'): Actor => ({
    ...owner,
    rights: rightsOf(role, services),
    by: { kind: 'helper', id: newId(), name: 'Helen Helper', grantId: newId() },
  })
  const idsIn = async (actor: Actor, folder: string) => (await listFolder(post.db, actor, { folder })).letters.map(({ id }) => id)
  const isMissing = (error: unknown) => error instanceof Problem && error.code === 'not-found'
  const made = async (actor: Actor, name: string, parentId: string | null = null): Promise<string> => {
    const answer = await makeFolder(post.db, actor, { name, parentId })
    assert.ok('id' in answer, JSON.stringify(answer))
    return answer.id
  }

  test('puts many letters into a folder at once, and undoing brings back each that is still there', async () => {
    const { owner, ids } = await withLetters(5)
    const folder = await made(owner, 'Tax <& "2026"> ☂ 日本')
    const filed = await fileLetters(post.db, owner, { ids: ids.slice(0, 4), what: 'move', to: folder, from: 'inbox' }, at(100))
    assert.deepEqual([filed.count, filed.moved], [4, 0])
    assert.deepEqual(await idsIn(owner, folder), ids.slice(0, 4).reverse())
    assert.deepEqual(await idsIn(owner, 'inbox'), [ids[4]])
    assert.deepEqual(await findFiling(post.db, owner, filed.id!), { what: 'move', folder, count: 4 })
    await fileLetters(post.db, owner, { ids: [ids[0]!], what: 'archive' }, at(101))
    assert.deepEqual(await undoFiling(post.db, owner, filed.id!, at(102)), { count: 3, left: 1 })
    assert.deepEqual(await idsIn(owner, 'archive'), [ids[0]])
    assert.deepEqual(await idsIn(owner, folder), [])
    await assert.rejects(undoFiling(post.db, owner, filed.id!, at(103)), isMissing)
  })

  test('leaves a letter that was moved in another window where it is, and says so', async () => {
    const { owner, ids } = await withLetters(2)
    await fileLetters(post.db, owner, { ids: [ids[0]!], what: 'archive', from: 'inbox' }, at(100))
    const late = await fileLetters(post.db, owner, { ids, what: 'bin', from: 'inbox' }, at(101))
    assert.deepEqual([late.count, late.moved], [1, 1])
    assert.equal((await findPlace(post.db, owner, ids[0]!)).folder, 'archive')
  })

  test('counts unread by folder; a letter read can be marked unread until it is opened again, and the evidence stays', async () => {
    const { owner, ids } = await withLetters(3)
    await open(post.db, owner, ids[0]!, at(50))
    await fileLetters(post.db, owner, { ids: [ids[1]!], what: 'archive' }, at(60))
    assert.deepEqual((await listFolder(post.db, owner, { folder: 'inbox' })).unreadIn, { inbox: 1, archive: 1 })
    const marked = await fileLetters(post.db, owner, { ids, what: 'unread' }, at(70))
    assert.equal(marked.count, 1, 'the others are unread as it is')
    assert.equal((await listInbox(post.db, owner, 1)).unread, 2)
    const unread = await listFolder(post.db, owner, { folder: 'inbox', show: 'unread' })
    assert.deepEqual([unread.total, unread.letters.map(({ id }) => id)], [2, [ids[2], ids[0]]])
    assert.deepEqual((await open(post.db, owner, ids[0]!, at(80))).openedAt, at(50))
    assert.equal((await listInbox(post.db, owner, 1)).unread, 1)
    const read = await fileLetters(post.db, owner, { ids, what: 'read' }, at(90))
    assert.deepEqual([read.count, read.unopened], [0, 2], 'what nobody has opened is not read')
  })

  test('flags letters, and shows these only', async () => {
    const { owner, ids } = await withLetters(3)
    await fileLetters(post.db, owner, { ids: [ids[1]!], what: 'flag' }, at(10))
    const { letters, total } = await listFolder(post.db, owner, { folder: 'inbox', show: 'flagged' })
    assert.deepEqual([letters.map(({ id, isFlagged }) => [id, isFlagged]), total], [[[ids[1], true]], 1])
  })

  test('deleting a folder loses no letter, also none that whoever deletes it cannot see', async () => {
    const { owner, ids } = await withLetters(2)
    const hidden = (
      await acceptOne(
        post.db,
        post.keys,
        post.council,
        { ...post.letter(`hidden-${links}`), recipient: { scheme: 'link', value: `CT-${links}` }, recipientOnly: true },
        at(9),
      )
    ).messageId
    const outer = await made(owner, 'Outer')
    const inner = await made(owner, 'Inner', outer)
    await fileLetters(post.db, owner, { ids: [ids[0]!], what: 'move', to: outer }, at(10))
    await fileLetters(post.db, owner, { ids: [ids[1]!, hidden], what: 'move', to: inner }, at(10))
    await deleteFolder(post.db, helper(owner), outer)
    assert.deepEqual(await listFolders(post.db, owner), [])
    assert.deepEqual(new Set(await idsIn(owner, 'archive')), new Set([...ids, hidden]))
    await assert.rejects(listFolder(post.db, owner, { folder: inner }), isMissing)
  })

  test('names are unique beside each other in any case, folders stand in five levels, and none in itself', async () => {
    const { owner } = await withLetters(0)
    const top = await made(owner, 'Money')
    const money = { name: 'Money', parentId: null }
    const refusal = async (name: string, parentId: string | null) => await makeFolder(post.db, owner, { name, parentId })
    assert.deepEqual(await refusal('  mONEY ', null), { refused: 'name-taken' })
    assert.deepEqual(await refusal(' \u200b\n ', null), { refused: 'name-missing' })
    assert.deepEqual(await refusal('x'.repeat(61), null), { refused: 'name-too-long' })
    assert.deepEqual(await refusal('Lost', newId()), { refused: 'parent-gone' })
    let deepest = top
    for (const name of ['two', 'three', 'four', 'five']) deepest = await made(owner, name, deepest)
    assert.deepEqual(await refusal('six', deepest), { refused: 'too-deep' })
    assert.deepEqual(await changeFolder(post.db, owner, top, { name: 'Money', parentId: deepest, seen: money }), {
      refused: 'in-itself',
    })
    const other = await made(owner, 'Other')
    const seen = { name: 'Other', parentId: null }
    assert.deepEqual(await changeFolder(post.db, owner, top, { name: 'Money', parentId: other, seen: money }), {
      refused: 'too-deep',
    })
    assert.deepEqual(await changeFolder(post.db, owner, other, { name: 'Money', parentId: top, seen }), { id: other })
    await assert.rejects(changeFolder(post.db, post.arthur, other, { name: 'Mine', parentId: null, seen }), isMissing)
  })

  test('a folder that was changed meanwhile is not changed over it, and the same change again is none', async () => {
    const { owner } = await withLetters(0)
    const [id, home] = [await made(owner, 'Council'), await made(owner, 'Home')]
    const seen = { name: 'Council', parentId: null }
    const renamed = { name: 'Town hall', parentId: null }
    assert.deepEqual(await changeFolder(post.db, owner, id, { ...renamed, seen }), { id })
    assert.deepEqual(await changeFolder(post.db, owner, id, { ...renamed, seen }), { id })
    assert.deepEqual(await changeFolder(post.db, owner, id, { ...seen, parentId: home, seen }), { refused: 'changed' })
    const find = async () => (await listFolders(post.db, owner)).find((folder) => folder.id === id)!
    assert.deepEqual([(await find()).name, (await find()).parentId], ['Town hall', null])
    assert.deepEqual(await changeFolder(post.db, owner, id, { ...seen, parentId: home, seen: renamed }), { id })
    assert.deepEqual((await find()).path, ['Home', 'Council'])
  })

  test('a note is not written over one that was written meanwhile', async () => {
    const { owner, ids } = await withLetters(1)
    const [messageId] = ids as [string]
    const write = (text: string, version: number) => writeNote(post.db, owner, { messageId, text, version }, at(10))
    assert.equal((await write('Ask Bo', 0)).isWritten, true)
    const late = await write('Pay it', 0)
    assert.deepEqual([late.isWritten, late.place.note, late.place.noteVersion], [false, 'Ask Bo', 1])
    assert.equal((await write('Pay it', 1)).isWritten, true)
    assert.equal((await write('', 2)).place.note, null)
    await assert.rejects(writeNote(post.db, post.arthur, { messageId, text: 'x', version: 0 }, at(10)), isMissing)
  })

  test('erases for good from the bin only, by the owner only, and the sender keeps their copy', async () => {
    const { owner, ids } = await withLetters(4)
    await fileLetters(post.db, owner, { ids: ids.slice(0, 3), what: 'bin' }, at(10))
    await assert.rejects(eraseLetters(post.db, helper(owner, 'all', 'writer'), 'all', at(11)), { code: 'scope-missing' })
    assert.equal(await eraseLetters(post.db, owner, [ids[0]!, ids[3]!], at(12)), 1)
    assert.equal(await eraseLetters(post.db, post.arthur, ids, at(12)), 0)
    await assert.rejects(find(post.db, owner, ids[0]!), isMissing)
    await assert.rejects(fileLetters(post.db, owner, { ids: [ids[0]!], what: 'restore' }, at(13)), isMissing)
    assert.equal((await find(post.db, post.council, ids[0]!)).subject, 'Your bill')
    await eraseOldFromBins(post.db, 30, new Date(noon + 29 * day))
    assert.equal((await idsIn(owner, 'bin')).length, 2)
    await fileLetters(post.db, owner, { ids: [ids[1]!], what: 'restore' }, at(20))
    await eraseOldFromBins(post.db, 30, new Date(noon + 31 * day))
    assert.deepEqual(await idsIn(owner, 'bin'), [])
    assert.deepEqual(await idsIn(owner, 'inbox'), [ids[3], ids[1]])
  })

  test('who may see some letters files these only, sees the folders that hold some, and changes none', async () => {
    const { owner, ids } = await withLetters(2)
    const limited = helper(owner, [post.parkingId])
    await assert.rejects(fileLetters(post.db, limited, { ids, what: 'archive' }, at(10)), isMissing)
    const folder = await made(owner, 'Private')
    await assert.rejects(fileLetters(post.db, limited, { ids, what: 'move', to: folder }, at(10)), isMissing)
    await assert.rejects(listFolder(post.db, limited, { folder }), isMissing)
    await assert.rejects(makeFolder(post.db, limited, { name: 'Mine', parentId: null }), { code: 'scope-missing' })
    const tax = helper(owner, [post.serviceId])
    assert.deepEqual((await listFolder(post.db, tax, { folder: 'inbox' })).folders, [])
    await fileLetters(post.db, owner, { ids: [ids[0]!], what: 'move', to: folder }, at(10))
    assert.deepEqual(
      (await listFolder(post.db, tax, { folder })).letters.map(({ id }) => id),
      [ids[0]],
    )
    await fileLetters(post.db, tax, { ids: [ids[1]!], what: 'move', to: folder }, at(11))
    const looks = await post.owner`select what, by_name from look where message_id = ${ids[1]!}`
    assert.deepEqual([...looks], [{ what: 'filed', byName: 'Helen Helper' }])
    await assert.rejects(fileLetters(post.db, post.clerk([post.serviceId]), { ids, what: 'archive' }, at(12)), {
      code: 'scope-missing',
    })
  })

  test('says that something changed to everybody who sees it', async () => {
    const { owner, ids } = await withLetters(1)
    const states = async () => [
      (await listFolder(post.db, owner, { folder: 'inbox' })).state,
      await readState(post.db, owner),
      (await readStates(post.db, [owner.mailboxId, post.arthur.mailboxId])).get(owner.mailboxId),
    ]
    const seen = new Set<string>()
    const steps = [
      () => Promise.resolve(),
      () => open(post.db, owner, ids[0]!, at(1)),
      () => fileLetters(post.db, owner, { ids, what: 'flag' }, at(2)),
      () => writeNote(post.db, owner, { messageId: ids[0]!, text: 'x', version: 0 }, at(3)),
      () => made(owner, 'New'),
    ]
    for (const step of steps) {
      await step()
      const now = await states()
      assert.equal(new Set(now).size, 1, 'all ask for the same')
      seen.add(now[0]!)
    }
    assert.equal(seen.size, steps.length)
  })

  test('whatever is done and undone, by two at once, every letter is in exactly one folder that is there', {
    timeout: 60_000,
  }, async () => {
    const { owner, ids } = await withLetters(6)
    const someIds = fc.uniqueArray(fc.constantFrom(...ids), { minLength: 1 })
    const action = fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({
          kind: fc.constant('file' as const),
          ids: someIds,
          what: fc.constantFrom(...waysToFile),
          to: fc.nat(9),
        }),
      },
      fc.record({ kind: fc.constant('undo' as const), which: fc.nat(9) }),
      fc.record({ kind: fc.constant('make' as const), name: fc.string({ maxLength: 8, unit: 'grapheme' }), parent: fc.nat(9) }),
      fc.record({ kind: fc.constant('delete' as const), which: fc.nat(9) }),
    )
    const filings: string[] = []
    const quietly = async (work: Promise<unknown>) => {
      try {
        return await work
      } catch (error) {
        if (!isMissing(error)) throw error
      }
    }
    const act = async (one: ReturnType<typeof action.generate>['value']) => {
      const own = (await listFolders(post.db, owner)).map(({ id }) => id)
      if (one.kind === 'file') {
        const to = [...own, 'inbox', 'archive', 'bin'][one.to % (own.length + 3)]!
        const filed = (await quietly(fileLetters(post.db, owner, { ids: one.ids, what: one.what, to }, at(1)))) as { id?: string }
        if (filed?.id) filings.push(filed.id)
      }
      if (one.kind === 'undo' && filings.length > 0)
        await quietly(undoFiling(post.db, owner, filings[one.which % filings.length]!, at(2)))
      if (one.kind === 'make') await makeFolder(post.db, owner, { name: one.name, parentId: own[one.parent] ?? null })
      if (one.kind === 'delete' && own.length > 0) await quietly(deleteFolder(post.db, owner, own[one.which % own.length]!))
    }
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(action, action), { maxLength: 6 }), async (pairs) => {
        for (const pair of pairs) await Promise.all(pair.map(act))
        const folders = ['inbox', 'archive', 'bin', ...(await listFolders(post.db, owner)).map(({ id }) => id)]
        const found = (await Promise.all(folders.map((folder) => idsIn(owner, folder)))).flat()
        assert.deepEqual(found.sort(), [...ids].sort())
      }),
      { numRuns: 30 },
    )
  })
})

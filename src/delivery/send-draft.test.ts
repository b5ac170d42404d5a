import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { v7 as newId } from 'uuid'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import { buildPost, type Post } from '../../test/post.ts'
import type { Actor } from '../access/actor.ts'
import type { DraftAim } from '../mailbox/draft.ts'
import { addDraftFile } from '../mailbox/draft-files.ts'
import { find, findFile } from '../mailbox/find.ts'
import { listInbox } from '../mailbox/list.ts'
import { open } from '../mailbox/open.ts'
import { saveDraft } from '../mailbox/save-draft.ts'
import { Problem } from '../problems.ts'
import { acceptOne } from './accept.ts'
import { appendToUpload } from './append-upload.ts'
import { createUpload } from './create-upload.ts'
import { sendDraft } from './send-draft.ts'

const now = new Date('2026-11-23T10:00:00Z')

describe('sending a draft', () => {
  let test_: TestDatabase
  let post: Post
  before(async () => {
    test_ = await createTestDatabase()
    post = await buildPost(test_)
  })
  after(() => test_.drop())

  const draft = async (actor: Actor, aim: Partial<DraftAim>, body = 'What is written') => {
    const id = newId()
    const whole: DraftAim = {
      kind: 'answer',
      messageId: null,
      contactPointId: null,
      toPartyId: null,
      toName: 'Somebody',
      serviceId: post.serviceId,
      category: 'general',
      recipientOnly: false,
      ...aim,
    }
    await saveDraft(post.db, actor, { id, version: 0, aim: whole, subject: '', body, answers: [] }, now)
    return id
  }
  const letterToRosa = async (more = {}) =>
    (await acceptOne(post.db, post.keys, post.council, { ...post.letter(newId()), ...more }, now)).messageId
  const send = (actor: Actor, id: string, version?: number) => sendDraft(post.db, post.keys, actor, { id, version }, now)

  test('makes one message of it however often it is asked, also at once, and the draft goes', async () => {
    const messageId = await letterToRosa()
    const id = await draft(post.rosa, { messageId })
    const file = { filename: 'a.txt', mediaType: 'text/plain', bytes: Buffer.from('A file') }
    await addDraftFile(post.db, post.rosa, id, file, { files: 1, bytes: 100 })
    const [one, two] = await Promise.all([send(post.rosa, id), send(post.rosa, id)])
    const three = await send(post.rosa, id)
    assert.equal(one.messageId, two.messageId)
    assert.equal(one.messageId, three.messageId)
    const [left] = await post.owner<{ drafts: string; files: string }[]>`
      select (select count(*) from draft) as drafts, (select count(*) from draft_file) as files`
    assert.deepEqual({ ...left }, { drafts: '0', files: '0' })
    const received = await find(post.db, post.council, one.messageId)
    assert.deepEqual([received.answersId, received.documents.length], [messageId, 1])
  })

  test('refuses one that was changed since, one of somebody else, and one that never was', async () => {
    const id = await draft(post.rosa, { messageId: await letterToRosa() })
    await assert.rejects(send(post.rosa, id, 7), new Problem('draft-changed'))
    await assert.rejects(send(post.arthur, id), new Problem('not-found'))
    await assert.rejects(send(post.rosa, newId()), new Problem('not-found'))
  })

  test('hands a letter on to another person with its text, its documents and where it came from, and not what is for machines', async () => {
    const files = (name: string) => [{ filename: name, mediaType: 'text/plain', content: btoa(name) }]
    const content = [
      { language: 'en', body: 'You have a bill.' },
      { language: 'cy', subject: 'Eich bil', body: 'Mae gennych fil.' },
    ]
    const documents = [
      { role: 'main', title: 'The bill', files: files('bill.txt') },
      { role: 'technical', files: files('data.txt') },
    ]
    const original = await letterToRosa({ content, documents })
    const id = await draft(post.rosa, { kind: 'forward', messageId: original, toPartyId: post.arthur.partyId }, 'Can you *help*?')
    const { messageId } = await send(post.rosa, id)
    const letter = await open(post.db, post.arthur, messageId, now)
    assert.equal(letter.subject, 'Forwarded: Your bill')
    assert.deepEqual([letter.senderName, letter.serviceId, letter.answersId], ['Rosa Example', post.serviceId, null])
    assert.equal(letter.threadId, messageId, 'it is a conversation of its own')
    assert.match(
      letter.content[0]!.body,
      /^Can you \*help\*\?\n\n---\n\n\*\*Forwarded by Rosa Example\\?\. First sent by Northfold Council \(Council tax\) on 23 November 2026\.\*\*\n\nYou have a bill\.$/,
    )
    assert.match(letter.content[1]!.body, /Anfonwyd ymlaen gan Rosa Example.*ar 23 Tachwedd 2026\.\*\*\n\nMae gennych fil\.$/s)
    assert.equal(letter.forwarded?.messageId, original)
    assert.deepEqual(
      letter.documents.map(({ role, title }) => [role, title]),
      [['main', 'The bill']],
    )
    const { bytes } = await findFile(post.db, post.arthur, messageId, letter.documents[0]!.files[0]!.id, now)
    assert.equal(await text(bytes), 'bill.txt')
    const [accepted] = await post.owner<{ facts: Record<string, unknown> }[]>`
      select facts from event where message_id = ${messageId} and type = 'message.accepted'`
    const { addressedBy, isToService, isBetweenParties, senderName, recipientName } = accepted!.facts
    assert.deepEqual(
      { addressedBy, isToService, isBetweenParties, senderName, recipientName },
      {
        addressedBy: 'forward',
        isToService: false,
        isBetweenParties: true,
        senderName: 'Rosa Example',
        recipientName: 'Arthur Sample',
      },
    )
    const answer = await draft(post.arthur, { messageId }, 'Yes')
    const back = await send(post.arthur, answer)
    assert.equal((await listInbox(post.db, post.rosa, 1)).letters[0]!.id, back.messageId)
    const [{ answeredAt }] = (await post.owner`select answered_at from ledger where message_id = ${messageId}`) as unknown as [
      { answeredAt: Date },
    ]
    assert.deepEqual(answeredAt, now)
  })

  test('hands on a document that was uploaded without a copy of it: the new reader gets the bytes, and needs no other letter', async () => {
    const bytes = Buffer.from('A leaflet for all.')
    const wanted = { serviceId: post.serviceId, mediaType: 'text/plain', size: bytes.length }
    const { upload } = await createUpload(post.db, post.council, wanted, { bytes: 100, days: 1 }, now)
    await appendToUpload(post.db, post.council, { id: upload.id, offset: 0, length: undefined, bytes: Readable.from([bytes]) })
    const documents = [{ role: 'main', files: [{ filename: 'leaflet.txt', upload: upload.id }] }]
    const original = await letterToRosa({ documents })
    const aim = { kind: 'forward', messageId: original, toPartyId: post.arthur.partyId } as const
    // As a helper who may write with this service only.
    const limited: Actor = {
      ...post.rosa,
      rights: new Map([...post.rosa.rights.keys()].map((right) => [right, [post.serviceId]])),
    }
    const { messageId } = await send(limited, await draft(post.rosa, aim, ''))
    for (const actor of [post.arthur, post.rosa]) {
      const [file] = (await find(post.db, actor, messageId)).documents[0]!.files
      assert.equal(await text((await findFile(post.db, actor, messageId, file!.id, now)).bytes), 'A leaflet for all.')
    }
    // What Rosa had is erased: what she sent stays for both.
    await post.owner`update message set erased_at = ${now} where id = ${original}`
    const [file] = (await find(post.db, post.rosa, messageId)).documents[0]!.files
    assert.equal(await text((await findFile(post.db, post.rosa, messageId, file!.id, now)).bytes), 'A leaflet for all.')
    const [kept] = await post.owner`select count(*)::int as chunks from upload_chunk where upload_id = ${upload.id}`
    assert.equal(kept!.chunks, 1)
  })

  test('keeps a letter for the recipient only what it is, wherever it is handed on to', async () => {
    const original = await letterToRosa({ recipientOnly: true })
    const aim = { kind: 'forward', messageId: original, toPartyId: post.arthur.partyId, recipientOnly: true } as const
    const { messageId } = await send(post.rosa, await draft(post.rosa, aim, ''))
    assert.equal((await open(post.db, post.arthur, messageId, now)).recipientOnly, true)
  })

  test('to whom cannot be reached stays a draft, and says why', async () => {
    const friend = await post.addPerson('CT-9')
    await post.owner`update mailbox set registration = 'exempt' where id = ${friend.mailboxId}`
    const id = await draft(post.rosa, { kind: 'forward', messageId: await letterToRosa(), toPartyId: friend.partyId })
    await assert.rejects(send(post.rosa, id), new Problem('recipient-exempt'))
    const [kept] = await post.owner`select from draft where id = ${id}`
    assert.notEqual(kept, undefined)
  })
})

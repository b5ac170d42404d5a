import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { addClerk, type Clerk, signInClerk } from '../../../test/department.ts'
import { type Pages, startPages } from '../../../test/pages.ts'
import { acceptOne } from '../../delivery/accept.ts'
import type { Submission } from '../../delivery/message.ts'
import { open } from '../../mailbox/open.ts'

describe('taking a letter back, on the department’s pages', () => {
  const now = { at: new Date('2026-11-23T10:00:00Z') }
  let pages: Pages
  let writer: Clerk
  let reader: Clerk
  before(async () => {
    pages = await startPages(now)
    const { serviceId, parkingId } = pages.post
    const signIn = async (name: string, writesFor: string) => {
      const roles = [{ serviceId, role: 'post-reader' } as const, { serviceId: writesFor, role: 'post-writer' } as const]
      return signInClerk(pages, await addClerk(pages.post, name, roles), now.at)
    }
    writer = await signIn('Writer', serviceId)
    reader = await signIn('Reader', parkingId)
  })
  after(() => pages.stop())

  const send = async (reference: string, more: Partial<Submission> = {}) => {
    const { post } = pages
    const { messageId } = await acceptOne(post.db, post.keys, post.council, { ...post.letter(reference), ...more }, now.at)
    return { messageId, address: `/department/messages/${messageId}` }
  }

  test('a letter that nobody has opened can be taken back, with a reason', async () => {
    const { messageId, address } = await send('one')
    assert.match((await writer.get(address)).body, /Take this letter back/)
    const without = await writer.post(`${address}/recall`, { reason: ' ' })
    assert.equal(without.statusCode, 422)
    assert.match(without.body, /href="#reason">Enter why you take the letter back/)
    const done = await writer.post(`${address}/recall`, { reason: 'A wrong amount' })
    assert.deepEqual([done.statusCode, done.headers.location], [303, address])
    const page = (await writer.get(address)).body
    assert.match(page, /You took this letter back on 23 November 2026.*You have a bill.*A wrong amount/s)
    assert.doesNotMatch(page, /\/recall"/)
    assert.match((await pages.get('rosa', `/letters/${messageId}`)).body, /took this letter back.*A wrong amount/s)
    assert.equal((await writer.get(`${address}/recall`)).statusCode, 303)
  })

  test('one that has been opened cannot', async () => {
    const { messageId, address } = await send('two')
    await open(pages.post.db, pages.post.rosa, messageId, now.at)
    assert.doesNotMatch((await writer.get(address)).body, /Take this letter back/)
    assert.deepEqual((await writer.get(`${address}/recall`)).headers.location, address)
  })

  test('one for a later time is shown with why and when, and can be taken back before it comes', async () => {
    const { address } = await send('later', { availableFrom: '2026-12-01T10:00:00Z' })
    const page = (await writer.get(address)).body
    assert.match(
      page,
      /does not see this letter yet. It will be in the mailbox on 1 December 2026.*You have a bill.*Rosa Example/s,
    )
    await writer.post(`${address}/recall`, { reason: 'Not needed' })
    assert.match((await writer.get(address)).body, /It never was in the mailbox.*Not needed/s)
  })

  test('is not for who may only read what the service sends', async () => {
    const { address } = await send('four')
    assert.doesNotMatch((await reader.get(address)).body, /Take this letter back/)
    assert.equal((await reader.get(`${address}/recall`)).statusCode, 404)
    const forged = await reader.post(address, { reason: 'A joke' }, `${address}/recall`)
    assert.equal(forged.statusCode, 404)
  })
})

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { addClerk, type Clerk, signInClerk } from '../../../test/department.ts'
import { type Pages, startPages } from '../../../test/pages.ts'
import { acceptBatch } from '../../delivery/accept-batch.ts'
import { changeBatch } from '../../delivery/change-batch.ts'
import { createBatch } from '../../delivery/create-batch.ts'
import type { Submission } from '../../delivery/message.ts'
import { releaseAll } from '../../delivery/release.ts'
import type { Accepted } from '../../delivery/write.ts'

describe('a held batch, on the department’s pages', () => {
  const now = { at: new Date('2026-11-23T10:00:00Z') }
  let pages: Pages
  let anna: Clerk
  let bo: Clerk
  let reader: Clerk
  before(async () => {
    pages = await startPages(now)
    const signIn = async (name: string, role: 'post-writer' | 'post-reader') =>
      signInClerk(pages, await addClerk(pages.post, name, [{ serviceId: pages.post.serviceId, role }]), now.at)
    anna = await signIn('Anna', 'post-writer')
    bo = await signIn('Bo', 'post-writer')
    reader = await signIn('Reader', 'post-reader')
  })
  after(() => pages.stop())

  const hold = async (reference: string, letters: Partial<Submission>[], more: { isOpen?: boolean } = {}) => {
    const { post } = pages
    const of = { serviceId: post.serviceId, reference, name: `Bills ${reference}`, lane: 'bulk', hold: true } as const
    const { isNew: _, ...batch } = await createBatch(post.db, post.council, of, now.at)
    const lines = letters.map((letter, place) => {
      const submission = { ...post.letter(`${reference}-${place}`), ...letter }
      return { line: place + 1, reference: submission.reference, submission }
    })
    const accepted = (await acceptBatch(post.db, post.keys, post.council, batch, lines, 100, now.at)) as Accepted[]
    if (!more.isOpen) await changeBatch(post.db, post.council, batch.id, 'close', now.at)
    return { id: batch.id, address: `/department/batches/${batch.id}`, ids: accepted.map(({ messageId }) => messageId) }
  }
  const work = () => releaseAll(pages.post.db, () => now.at)
  const isInMailbox = async (id: string) => (await pages.get('rosa', `/letters/${id}`)).statusCode === 200
  const wantTwo = (isWanted: boolean) =>
    pages.post.owner`update service set release_by_two = ${isWanted} where id = ${pages.post.serviceId}`

  test('says that it is held and how many wait, and shows ten of them by chance', async () => {
    const { address } = await hold(
      'sampled',
      Array.from({ length: 30 }, (_, place) => ({ subject: `Bill number ${place}` })),
    )
    assert.match((await reader.get('/department/batches')).body, /Held, closed · 30 accepted/)
    const page = (await reader.get(address)).body
    assert.match(page, /This batch is held\..*Held, closed.*30 letters wait\..*<dt[^>]*>\s*Held\s*<\/dt>\s*<dd[^>]*>\s*30\s*</s)
    assert.doesNotMatch(page, /\/release"|\/recall"/)
    const shown = (await reader.get(`${address}/sample`)).body
    assert.equal([...shown.matchAll(/Bill number \d+/g)].length, 10)
    assert.match(shown, /To Rosa Example.*You have a bill.*Show other letters/s)
  })

  test('shows a letter as its recipient will see it, in each language, with its documents and buttons that do nothing', async () => {
    const file = { filename: 'note.txt', mediaType: 'text/plain', content: Buffer.from('hello').toString('base64') }
    const content = [
      { language: 'en', body: 'You have **a bill**.' },
      { language: 'cy', subject: 'Eich bil', body: 'Mae gennych fil.' },
    ]
    const actions = [{ kind: 'confirm', label: { en: 'Confirm who lives with you' } }] as Submission['actions']
    const documents = [{ role: 'main', files: [file] }] as Submission['documents']
    const { address, ids } = await hold('shown', [{ content, documents, actions }])
    assert.match(
      (await reader.get(`${address}/sample`)).body,
      /English, Cymraeg · 1 document · Asks to do: <span lang="en">Confirm who lives with you/,
    )
    const letter = `/department/messages/${ids[0]}`
    const english = (await reader.get(letter)).body
    assert.match(english, /waits for somebody to release its batch.*You have <strong>a bill<\/strong>/s)
    assert.match(english, new RegExp(`class="govuk-back-link" href="${address}/sample"`))
    assert.match(english, /<button type="button" disabled aria-disabled="true"[^>]*>\s*Confirm\s*</)
    assert.doesNotMatch(english, /\/to-do\//)
    assert.match((await reader.get(`${letter}?language=cy`)).body, /Eich bil.*Mae gennych fil/s)
    const [, bytes] = /href="([^"]+\/files\/[^"]+)"/.exec(english)!
    assert.equal((await reader.get(bytes!)).body, 'hello')
    const [, about] = /href="([^"]+\/documents\/[^"]+)"/.exec(english)!
    assert.match((await reader.get(about!)).body, /note\.txt/)
    for (const url of [`/letters/${ids[0]}`, bytes!.replace('/department/messages', '/letters')])
      assert.equal((await pages.get('rosa', url)).statusCode, 404)
  })

  test('is released by one, after a page that says how many and to how many, and shows how far it is', async () => {
    const { address, ids } = await hold('released', [{}, { recipient: { scheme: 'link', value: 'CT-2' } }, {}])
    const confirm = (await anna.get(`${address}/release`)).body
    assert.match(confirm, /Letters\s*<\/dt>\s*<dd[^>]*>\s*3\s*<.*Recipients\s*<\/dt>\s*<dd[^>]*>\s*2\s*<.*cannot be undone/s)
    const done = await anna.post(`${address}/release`, {})
    assert.deepEqual([done.statusCode, done.headers.location], [303, address])
    assert.match((await anna.get(address)).body, /being released: 0 of 3 letters are available/)
    await work()
    const page = (await anna.get(address)).body
    assert.match(page, /Released, closed.*by Anna/s)
    assert.ok(await isInMailbox(ids[0]!))
    assert.match(page, /Take the batch back/)
    assert.deepEqual((await anna.get(`${address}/release`)).headers.location, address, 'not again')
    const { post } = pages
    const logReader = await addClerk(post, 'Log', [{ serviceId: post.serviceId, role: 'log-reader' }])
    const log = (await (await signInClerk(pages, logReader, now.at)).get('/department/logs')).body
    assert.match(log, /<strong>Anna<\/strong> released a batch: Bills released/)
  })

  test('has to be closed first', async () => {
    const { address } = await hold('open', [{}], { isOpen: true })
    assert.doesNotMatch((await anna.get(address)).body, /\/release"/)
    assert.deepEqual((await anna.post(address, {}, `${address}/release`)).headers.location, address)
    assert.match((await anna.get(address)).body, /Held, open/)
    assert.equal((await anna.post(address, { to: 'close' }, address)).statusCode, 303)
    assert.match((await anna.get(address)).body, /Release the batch/)
  })

  test('is discarded with a reason, and nothing of it comes to a mailbox', async () => {
    const { address, ids } = await hold('discarded', [{}, {}])
    assert.match((await anna.get(`${address}/recall`)).body, /The 2 letters that it holds go into no mailbox, ever/)
    const without = await anna.post(`${address}/recall`, { reason: ' ' })
    assert.equal(without.statusCode, 422)
    assert.match(without.body, /href="#reason">Enter why you discard the batch/)
    assert.equal((await anna.post(`${address}/recall`, { reason: 'Wrong amounts' })).statusCode, 303)
    await work()
    assert.match((await anna.get(address)).body, /Taken back, closed.*by Anna\. Wrong amounts/s)
    assert.equal(await isInMailbox(ids[0]!), false)
    assert.match((await anna.get(`/department/messages/${ids[0]}`)).body, /It never was in the mailbox.*Wrong amounts/s)
  })

  test('that was released is taken back whole, and recipients read why', async () => {
    const { address, ids } = await hold('back', [{}])
    await anna.post(`${address}/release`, {})
    await work()
    assert.match((await anna.get(`${address}/recall`)).body, /each that nobody has opened is taken back/)
    await anna.post(`${address}/recall`, { reason: 'Sent too early' })
    await work()
    assert.match((await pages.get('rosa', `/letters/${ids[0]}`)).body, /took this letter back.*Sent too early/s)
  })

  test('is for whoever may write for its service: a reader looks, and can do nothing', async () => {
    const { address } = await hold('read', [{}])
    for (const page of ['release', 'recall']) {
      assert.equal((await reader.get(`${address}/${page}`)).statusCode, 403)
      assert.equal((await reader.post(address, { reason: 'A' }, `${address}/${page}`)).statusCode, 403)
    }
    await work()
    assert.match((await anna.get(address)).body, /Held, closed/)
  })

  test('where two are wanted: one asks, another sees it under approvals and at the batch, and approves', async () => {
    await wantTwo(true)
    const { address, ids } = await hold('two', [{}])
    assert.match((await anna.get(address)).body, /until two of you agree/)
    await anna.post(`${address}/release`, {})
    const own = (await anna.get(address)).body
    assert.match(own, /Anna asked on .*for its release\. It waits for another member of staff/s)
    assert.doesNotMatch(own, /\/release"/)
    const [, approval] = /href="(\/department\/approvals\/[^"]+)"/.exec((await bo.get(address)).body)!
    assert.match((await bo.get('/department/approvals')).body, /Release a batch: Bills two/)
    const page = (await bo.get(approval!)).body
    assert.match(page, /Letters accepted\s*<\/dt>\s*<dd[^>]*>\s*1\s*</)
    assert.ok(page.includes(`href="${address}/sample"`))
    assert.equal((await anna.post(approval!, { decision: 'approve' })).statusCode, 404)
    assert.equal((await reader.get(approval!)).statusCode, 404)
    await work()
    assert.equal(await isInMailbox(ids[0]!), false)
    assert.equal((await bo.post(approval!, { decision: 'approve' })).statusCode, 303)
    await work()
    assert.ok(await isInMailbox(ids[0]!))
    assert.match((await bo.get(address)).body, /by Anna and Bo/)
    await wantTwo(false)
  })
})

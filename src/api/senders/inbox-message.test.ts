import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { v7 as newId } from 'uuid'
import { callApi } from '../../../test/call.ts'
import { startServer, type TestServer, takeToken } from '../../../test/server.ts'
import { signInRosa } from '../../../test/signed-in.ts'
import type { Actor } from '../../access/actor.ts'
import { acceptOne } from '../../delivery/accept.ts'
import { deriveIdentifierKeys } from '../../registry/identifier.ts'
import { listServices } from '../../registry/services.ts'

describe('GET /v1/inbox', () => {
  let server: TestServer
  before(async () => {
    server = await startServer()
  })
  after(() => server.stop())

  test('says which contact point was written to, and what was asked there', async () => {
    const { actor } = await signInRosa(server.test.owner)
    const keys = deriveIdentifierKeys(server.config.secretKey)
    const [service] = await listServices(server.test.database, { slugs: ['council-tax'] })
    const [point] = await server.test.owner<{ id: string }[]>`select id from contact_point where slug = 'moving-home'`
    const contact = { pointId: point!.id, pointName: 'Moving', fields: [{ label: 'Account', value: 'CT-1001' }] }
    const submission = {
      reference: 'moving',
      serviceId: service!.id,
      subject: 'I move',
      content: [{ language: 'en', body: 'To 2 New Street.' }],
      documents: [],
      reply: { allowed: true },
      contact,
    }
    const { messageId } = await acceptOne(server.test.database, keys, actor, submission, new Date())
    const token = await takeToken(server)
    const list = await callApi(server, token, 'GET', '/v1/inbox')
    const listed = list.body.messages.find(({ id }: { id: string }) => id === messageId)
    assert.deepEqual(listed.contact, contact)
    const answers = list.body.messages.filter(({ answers }: { answers: string | null }) => answers !== null)
    for (const answer of answers) assert.equal(answer.contact, null)
    const opened = await callApi(server, token, 'GET', `/v1/inbox/${messageId}`)
    assert.equal(opened.status, 200)
    assert.deepEqual(opened.body.contact, contact)
  })

  test('says who wrote it for the sender, and null where the sender wrote', async () => {
    const { actor } = await signInRosa(server.test.owner)
    const keys = deriveIdentifierKeys(server.config.secretKey)
    const [service] = await listServices(server.test.database, { slugs: ['council-tax'] })
    const write = (by: Actor['by'], reference: string) =>
      acceptOne(
        server.test.database,
        keys,
        { ...actor, by },
        {
          reference,
          serviceId: service!.id,
          subject: 'I write',
          content: [{ language: 'en', body: 'For her.' }],
          documents: [],
          reply: { allowed: true },
        },
        new Date(),
      )
    const helper = { kind: 'helper', id: newId(), name: 'Arthur Sample', grantId: newId() } as const
    const [byHelper, byHer] = [await write(helper, 'by him'), await write(actor.by, 'by her')]
    const token = await takeToken(server)
    const writtenBy = async (id: string) => (await callApi(server, token, 'GET', `/v1/inbox/${id}`)).body.writtenBy
    assert.deepEqual(await writtenBy(byHelper.messageId), { name: 'Arthur Sample' })
    assert.equal(await writtenBy(byHer.messageId), null)
  })
})

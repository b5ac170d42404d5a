import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { callApi } from '../../../test/call.ts'
import { sealAll } from '../../../test/seal-all.ts'
import { startServer, type TestServer, takeToken } from '../../../test/server.ts'
import { readTrustedKeys } from '../../evidence/trusted-keys.ts'
import { verifyReceipt } from '../../evidence/verify.ts'

describe('GET /v1/messages/{id}/evidence', () => {
  const now = new Date('2026-11-23T10:00:00Z')
  let server: TestServer
  let token: string
  before(async () => {
    server = await startServer({}, () => now)
    token = await takeToken(server)
  })
  after(() => server.stop())

  const send = (reference: string, value = 'CT-1001') =>
    callApi(server, token, 'POST', '/v1/messages', {
      reference,
      service: 'council-tax',
      recipient: { scheme: 'link', value },
      subject: 'Your council tax',
      content: [{ language: 'en', body: 'Dear resident' }],
    })
  const seal = () => sealAll(server.test.database, server.config, server.baseUrl, now)
  const list = (id: string) => callApi(server, token, 'GET', `/v1/messages/${id}/evidence`)
  const download = (url: string) => fetch(`${server.baseUrl}${url}`, { headers: { authorization: `Bearer ${token}` } })

  test('lists what can be proved, by the ids of the events, and leads to receipts that hold with the published keys', async () => {
    const { id } = (await send('proved')).body
    const before = await list(id)
    assert.deepEqual(
      before.body.evidence.map(({ type, inLog }: { type: string; inLog: boolean }) => [type, inLog]),
      [
        ['message.accepted', false],
        ['message.available', false],
      ],
    )
    const early = await download(before.body.evidence[0].links.receipt)
    const problem = (await early.json()) as { code: string; advice: string }
    assert.deepEqual([early.status, problem.code, problem.advice], [409, 'evidence-pending', 'retry'])
    await seal()
    const { evidence } = (await list(id)).body
    const events = (await callApi(server, token, 'GET', '/v1/events?limit=100')).body.events as { id: string; type: string }[]
    const trusted = readTrustedKeys(await (await fetch(`${server.baseUrl}/log/keys.json`)).json())
    assert.ok(typeof trusted !== 'string', String(trusted))
    for (const one of evidence) {
      assert.equal(one.inLog, true)
      assert.equal(events.find((event) => event.id === one.id)?.type, one.type)
      const answer = await download(one.links.receipt)
      assert.equal(answer.headers.get('content-disposition'), `attachment; filename="${one.id}.tlog-proof"`)
      const verdict = verifyReceipt(new Uint8Array(await answer.arrayBuffer()), [], trusted)
      assert.ok(verdict.isValid, verdict.sentence)
      assert.equal(verdict.record?.ERDSEventId, one.event)
    }
  })

  test('is there of a submission that was rejected', async () => {
    assert.equal((await send('refused', 'CT-0')).status, 422)
    await seal()
    const [event] = await server.test.owner`select message_id as id from event where reference = 'refused'`
    const { evidence } = (await list(event!.id)).body
    assert.deepEqual(
      evidence.map(({ type }: { type: string }) => type),
      ['message.rejected'],
    )
    assert.equal((await download(evidence[0].links.receipt)).status, 200)
  })

  test('is not there for what is another’s, or nowhere', async () => {
    const nowhere = crypto.randomUUID()
    for (const url of [
      `/v1/messages/${nowhere}/evidence`,
      `/v1/messages/${nowhere}/evidence/${nowhere}`,
      '/v1/messages/x/evidence',
    ]) {
      const { status, body } = await callApi(server, token, 'GET', url)
      assert.deepEqual([status, body.code], [404, 'not-found'], url)
    }
  })
})

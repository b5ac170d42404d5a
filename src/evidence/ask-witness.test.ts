import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, test } from 'node:test'
import { askWitness } from './ask-witness.ts'
import { formatCheckpoint } from './checkpoint.ts'
import { cosign } from './cosignature.ts'
import { formatSignature, signatureTypes, signNote, verifierKey } from './note.ts'
import { emptyRoot } from './tree.ts'
import { formatAddCheckpoint } from './witness.ts'

const [log, witness] = [generateKeyPairSync('ed25519').privateKey, generateKeyPairSync('ed25519').privateKey]
const key = verifierKey('witness.example/w1', signatureTypes.cosignature, witness)
const text = formatCheckpoint({ origin: 'example.com/log', size: 0, root: emptyRoot })
const request = { oldSize: 0, proof: [], note: { text, signatures: [signNote(text, 'example.com/log', log)] } }
const lines = formatSignature(cosign(text, key.name, witness, new Date('2026-11-26T10:00:00Z')))

/** What a witness that answers like this makes of the request. */
async function ask(answer: RequestListener, timeLimitMs?: number) {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    return await askWitness(`http://127.0.0.1:${(server.address() as AddressInfo).port}/of/it`, request, key, timeLimitMs)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

describe('asking a witness', () => {
  test('sends it the checkpoint, and takes its cosignature', async () => {
    let asked: unknown
    const reply = await ask(async (incoming, response) => {
      let body = ''
      for await (const chunk of incoming) body += chunk
      asked = { method: incoming.method, url: incoming.url, body }
      response.end(lines)
    })
    assert.ok('kind' in reply && reply.kind === 'cosigned')
    assert.deepEqual(
      reply.cosignatures.map(({ timestamp }) => timestamp),
      [Date.parse('2026-11-26T10:00:00Z') / 1_000],
    )
    assert.deepEqual(asked, { method: 'POST', url: '/of/it/add-checkpoint', body: formatAddCheckpoint(request) })
  })

  test('reads which size it has seen instead', async () => {
    const reply = await ask((_request, response) => response.writeHead(409, { 'content-type': 'text/x.tlog.size' }).end('512\n'))
    assert.deepEqual(reply, { kind: 'other-size', size: 512 })
  })

  test('says why where it is slow, not there, says too much or sends elsewhere', async () => {
    const late = { code: 'witness-late', witness: 'witness.example/w1', ms: 50 }
    assert.deepEqual(await ask(() => {}, 50), late)
    const dribble = (_: unknown, response: { write: (text: string) => void }) => void response.write('—')
    assert.deepEqual(await ask(dribble as RequestListener, 50), late)
    const unreachable = { code: 'witness-not-reached', witness: 'witness.example/w1' }
    assert.deepEqual(await ask((incoming) => incoming.destroy()), unreachable)
    assert.deepEqual(await ask((_request, response) => response.writeHead(307, { location: '/elsewhere' }).end()), unreachable)
    assert.deepEqual(await ask((_request, response) => response.end(lines.repeat(1_000))), {
      code: 'witness-too-long',
      witness: 'witness.example/w1',
      bytes: 65_536,
    })
  })

  test('does not take for an answer what another witness says', async () => {
    const stranger = formatSignature(cosign(text, 'witness.example/w2', witness, new Date()))
    assert.deepEqual(await ask((_request, response) => response.end(stranger)), { kind: 'refused', status: 200 })
  })
})

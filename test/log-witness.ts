import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { formatVerifierKey, parseVerifierKey, signatureTypes, type VerifierKey, verifierKey } from '../src/evidence/note.ts'
import type { Tree } from '../src/evidence/tree.ts'
import { answerAddCheckpoint, parseAddCheckpoint } from '../src/evidence/witness.ts'

/**
 * A witness that somebody else runs, who is told by which keys the log signs. It remembers the tree that it cosigned last. `setting` is for
 * LOG_WITNESSES; `refused` has the statuses that it gave since it knows the log, but for another size, which is no refusal.
 */
export async function startLogWitness() {
  const name = 'witness.example/other'
  const { privateKey } = generateKeyPairSync('ed25519')
  const refused: number[] = []
  let trusted: VerifierKey[] | undefined
  let known: Tree | undefined
  const server = createServer(async (request, response) => {
    const asked = parseAddCheckpoint(await text(request))
    // From here to the end at one go: two who ask at once are answered one after the other.
    const answer = answerAddCheckpoint(asked, trusted, known, { name, privateKey }, new Date())
    if (answer.remember) known = answer.remember
    if (trusted !== undefined && ![200, 409].includes(answer.status)) refused.push(answer.status)
    response.writeHead(answer.status, { 'content-type': answer.contentType }).end(answer.body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    setting: `http://127.0.0.1:${port} ${formatVerifierKey(verifierKey(name, signatureTypes.cosignature, privateKey))}`,
    refused,
    trust(keys: readonly string[]) {
      trusted = keys.map((key) => parseVerifierKey(key)!)
    },
    stop() {
      server.closeAllConnections()
      server.close()
    },
  }
}

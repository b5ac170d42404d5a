import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Connection } from './connection.ts'
import { ApiError } from './send-lines.ts'

type UploadState = { received: number; sha256: string | null; links: { self: string } }

/** So often it is gone on with where it breaks, and nothing came of it in between. */
const triesMax = 5
const againMs = 2_000

/**
 * Uploads a file, and answers the id of the upload. One that the service has uploaded before is not sent again, and one that was cut off, by an
 * earlier run too, is gone on with: the API knows it by its SHA-256. Throws an ApiError where the file is refused.
 */
export async function uploadFile(
  api: Connection,
  { file, size, ...said }: { file: string; size: number; mediaType: string; service: string | undefined },
): Promise<string> {
  const digest = createHash('sha256')
  for await (const piece of createReadStream(file)) digest.update(piece as Buffer)
  const asked = { ...said, size, sha256: digest.digest('hex') }
  const { id, ...begun } = await api.ask<UploadState & { id: string }>('POST', '/v1/uploads', asked)
  let state: UploadState = begun
  for (let tries = 1; state.sha256 === null; tries += 1) {
    const { received, links } = state
    const failure = await sendBytes(api, links.self, file, received).catch((error: unknown) => error)
    if (failure instanceof ApiError && failure.status !== 409 && failure.status !== 503) throw failure
    if (failure !== undefined) await sleep(againMs)
    state = await api.ask<UploadState>('GET', links.self)
    if (state.received > received) tries = 0
    else if (tries >= triesMax) throw failure ?? new Error('The upload does not go on.')
  }
  return id
}

async function sendBytes(api: Connection, address: string, file: string, offset: number): Promise<void> {
  const headers = {
    authorization: `Bearer ${await api.token()}`,
    'content-type': 'application/offset+octet-stream',
    'tus-resumable': '1.0.0',
    'upload-offset': String(offset),
  }
  const body = createReadStream(file, { start: offset })
  // The types of fetch know no stream of Node's.
  const response = await fetch(`${api.url}${address}`, {
    method: 'PATCH',
    headers,
    body,
    duplex: 'half',
  } as unknown as RequestInit)
  if (response.ok) return
  throw new ApiError(response.status, (await response.json().catch(() => ({}))) as object)
}

import { once } from 'node:events'
import { parentPort, workerData } from 'node:worker_threads'
import type { Config } from './config.ts'
import { connect } from './database/connect.ts'
import { every } from './every.ts'
import { completeCheckpoints } from './evidence/complete-checkpoints.ts'
import { openEvidence } from './evidence/open-evidence.ts'
import { sequenceAll } from './evidence/sequence.ts'

/** What the thread is told by the one that starts it (worker.ts). */
export type SequencerData = { config: Config; programUrl: string }

/** One for each of the two beats, and one in reserve. */
const connections = 3

// A thread of its own, until it is told to stop.
const { config, programUrl } = workerData as SequencerData
const database = connect(programUrl, connections)
// What crosses from one thread to another loses its kind: bytes come as a Uint8Array.
const { keys, attestors, origin, issuer } = openEvidence({ ...config, secretKey: Buffer.from(config.secretKey) })
const isAttested = attestors.witnesses.length > 0 || attestors.timeStamp !== undefined
const { beatMs } = config.evidence
const beats = [
  every('The log of evidence', beatMs, () => sequenceAll(database, keys, { origin, issuer, isAttested }, new Date())),
  every('The log’s checkpoints', beatMs, (signal) => completeCheckpoints(database, attestors, new Date(), signal)),
]
await once(parentPort!, 'message')
await Promise.all(beats.map((beat) => beat.stop()))
await database.end({ timeout: 5 })
// The port keeps a thread alive.
parentPort!.close()

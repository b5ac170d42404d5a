import type { Config } from '../src/config.ts'
import type { Database } from '../src/database/connect.ts'
import { readWithin } from '../src/database/scope.ts'
import { completeCheckpoints } from '../src/evidence/complete-checkpoints.ts'
import { openEvidence } from '../src/evidence/open-evidence.ts'
import { sequence } from '../src/evidence/sequence.ts'

/** Puts into the log what has happened until now, as the program does at each beat. */
export async function logAll(db: Database, config: Config, now: Date): Promise<void> {
  const { keys, origin } = openEvidence(config)
  const issuer = { name: config.serviceName, uri: config.baseUrl, people: 'people', staff: 'staff', systems: 'systems' }
  const isLeft = async () => {
    const [row] = await readWithin<{ isLeft: boolean }>(
      db,
      { purpose: 'evidence' },
      db`
      select exists (
        select from event left join evidence_seal using (position) where event.xid is not null and evidence_seal.position is null
      ) as is_left`,
    )
    return row!.isLeft
  }
  // Another test's transaction, begun before, may still be under way on the same PostgreSQL.
  while (await isLeft()) await sequence(db, keys, { origin, issuer, isAttested: true }, now)
}

/** And has it cosigned and time-stamped by the stand-ins of the program that listens there. */
export async function sealAll(db: Database, config: Config, address: string, now: Date): Promise<void> {
  await logAll(db, config, now)
  const { attestors } = openEvidence(config)
  const witnesses = attestors.witnesses.map((witness) => ({ ...witness, url: `${address}/demo/witness` }))
  const timeStamp = { url: `${address}/demo/time-stamp`, certificates: [] }
  while ((await completeCheckpoints(db, { witnesses, timeStamp }, now)) > 0);
}

import type { Config } from '../src/config.ts'
import type { Database } from '../src/database/connect.ts'
import { within } from '../src/database/scope.ts'
import { openEvidence } from '../src/evidence/open-evidence.ts'
import { sequence } from '../src/evidence/sequence.ts'

/** Makes the log of an installation one batch longer, as its program would by the next beat, and answers its new size. */
export async function addBatch(db: Database, config: Config, now: Date): Promise<number> {
  const { keys, origin } = openEvidence(config)
  const issuer = { name: config.serviceName, uri: config.baseUrl, people: 'people', staff: 'staff', systems: 'systems' }
  const id = crypto.randomUUID()
  await within(db, { purpose: 'evidence' }, async (sql) => {
    await sql`insert into event (sender_id, id, type, message_id, reference, at) values (${id}, ${id}, 'service.interrupted', ${id}, '', ${now})`
  })
  // Another test's transaction, begun before, may still be under way on the same PostgreSQL: then the next beat has it.
  while ((await sequence(db, keys, { origin, issuer, isAttested: true }, now)) === 0);
  const [{ size }] = (await within(
    db,
    { purpose: 'evidence' },
    (sql) => sql`select max(size) as size from log_checkpoint`,
  )) as unknown as [{ size: string }]
  return Number(size)
}

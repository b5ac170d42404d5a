import { v7 as newId } from 'uuid'
import type { Config } from '../config.ts'
import type { Db } from '../database/connect.ts'
import { within } from '../database/scope.ts'
import { lockFeeds } from './events.ts'
import type { EventFacts } from './record.ts'

/** Under this sender stands what is about the installation itself. */
export const installationId = '00000000-0000-0000-0000-000000000000'
/** What the evidence of every outage gives as its reason. */
export const whyInterrupted = 'The program did not run, or could not reach its database.'

/**
 * Notes that at this moment the program can take and show post: it runs, and its database takes what it writes. Where the
 * last such moment of any process is too long ago, there was an outage from then until now, which is written down with evidence of
 * its two ends. A clock that was set back moves the moment and makes no outage. Before the log has begun there is nothing to note.
 */
export async function noteAlive(db: Db, { outageSeconds }: Pick<Config, 'outageSeconds'>, now: Date): Promise<void> {
  await within(db, { purpose: 'evidence' }, async (sql) => {
    // Of several processes after an outage one writes it down, and the others see that.
    const [state] = await sql<{ aliveAt: Date | null }[]>`select alive_at from log_state for update`
    if (state === undefined) return
    const { aliveAt } = state
    if (aliveAt !== null && now.getTime() - aliveAt.getTime() > outageSeconds * 1_000) await writeOutage(sql, aliveAt, now)
    await sql`update log_state set alive_at = ${now}`
  })
}

async function writeOutage(sql: Db, beganAt: Date, endedAt: Date): Promise<void> {
  const id = newId({ msecs: beganAt.getTime() })
  await sql`insert into outage (id, began_at, ended_at, why) values (${id}, ${beganAt}, ${endedAt}, ${whyInterrupted})`
  const facts: EventFacts = {
    by: { kind: 'program', id: 'digital-post', name: 'The program' },
    from: beganAt.toISOString(),
    until: endedAt.toISOString(),
    reasons: [{ code: 'interrupted', reason: whyInterrupted }],
  }
  await sql`
    with feeds as materialized (${lockFeeds(sql, [installationId])})
    insert into event (sender_id, type, message_id, reference, at, facts)
    select ${installationId}, happened.type, ${id}, ${id}, happened.at, ${sql.json(facts as never)}
    from feeds, unnest(${['service.interrupted', 'service.restored']}::text[], ${[facts.from, facts.until] as string[]}::timestamptz[]) with ordinality as happened (type, at, place)
    order by place`
}

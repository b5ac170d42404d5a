import type { Db } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { within } from '../database/scope.ts'

/** How many identifiers a service may ask for. */
export type LookupLimits = { perMinute: number; perDay: number }

type Row = { leftOver: number; usedThatDay: string }

/**
 * Takes a number of look-ups from a service's allowance: a bucket that holds a minute's worth and fills up all the time, and a
 * number for each day (in UTC). Undefined where there is enough; otherwise in how many seconds there will be. A request for
 * more than the bucket ever holds passes when it is full, and is paid off afterwards.
 */
export async function takeLookups(
  db: Db,
  serviceId: string,
  count: number,
  { perMinute, perDay }: LookupLimits,
  now: Date,
): Promise<number | undefined> {
  const today = now.toISOString().slice(0, 10)
  return within(db, { ownServices: [serviceId] }, async (sql) => {
    // A commit that a power cut undoes gives a few look-ups back: not worth that each request waits for the disk.
    await sql`select set_config('synchronous_commit', 'off', true)`
    // Clocks of several processes differ by less; and nobody is to wait until a clock that was wrong is right.
    const isSetBack = sql`excluded.at < old.at - interval '1 minute'`
    // Filled up to now first, whether or not there is enough.
    const [row] = await sql<Row[]>`
      insert into lookup_allowance as old (service_id, left_over, at, day, used_that_day)
      values (${serviceId}, ${perMinute}, ${now}, ${today}::text::date, 0)
      on conflict (service_id) do update set
        left_over = least(${perMinute}, old.left_over + greatest(0, extract(epoch from excluded.at - old.at)) * ${perMinute} / 60.0),
        at = case when ${isSetBack} then excluded.at else greatest(old.at, excluded.at) end,
        used_that_day = case when old.day < excluded.day or (${isSetBack} and old.day > excluded.day) then 0 else old.used_that_day end,
        day = case when ${isSetBack} then excluded.day else greatest(old.day, excluded.day) end
      returning left_over, used_that_day`
    const usedToday = Number(row!.usedThatDay)
    if (usedToday + count > perDay) return Math.ceil((Date.parse(today) + 86_400_000 - now.getTime()) / 1000)
    const missing = Math.min(count, perMinute) - row!.leftOver
    if (missing > 0) return Math.max(1, Math.ceil((missing * 60) / perMinute))
    await sql`
      update lookup_allowance set left_over = left_over - ${count}, used_that_day = used_that_day + ${count}
      where ${own(sql, sql`service_id = ${serviceId}`)}`
    return undefined
  })
}

import type { Db, Fragment } from '../database/connect.ts'

/** Of a row `held` of access_grant: whether it lets its holder in at this time. */
export function grantHolds(db: Db, now: Date): Fragment {
  return db`held.accepted_at is not null and held.ended_at is null and held.starts_at <= ${now} and (held.ends_at is null or held.ends_at > ${now})`
}

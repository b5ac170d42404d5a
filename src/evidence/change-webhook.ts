import type { Db } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { type Scope, within } from '../database/scope.ts'
import { Problem } from '../problems.ts'
import { seal } from '../seal.ts'
import { endOfFeed } from './events.ts'
import { mayBePostedTo, type WebhookReach } from './post-event.ts'
import { newWebhookSecret, secretBoundTo, secretOverlapMs } from './webhook.ts'

/** Whose webhook, as the door knows that the caller may change it, and who the caller is. */
export type Asker = { serviceId: string; name: string }
type Reach = WebhookReach & { key: Buffer }

/** Everything that the caller may see and change of a webhook. */
function scopeOf({ serviceId }: Asker): Scope {
  return { ownServices: [serviceId], senders: [serviceId] }
}

/**
 * Gives the service a webhook, which is told of what happens from now on, or the one that it has another address. Answers the
 * secret where one was made. `version` is of the webhook that the caller has seen; undefined is whichever there is.
 * Throws `webhook-address-not-allowed`, `changed-meanwhile`.
 */
export async function saveWebhook(
  db: Db,
  asker: Asker,
  { url, version }: { url: string; version?: number | undefined },
  { key, ...reach }: Reach,
  now: Date,
): Promise<{ secret: string | undefined }> {
  if (!(await mayBePostedTo(url, reach))) throw new Problem('webhook-address-not-allowed')
  const { serviceId } = asker
  return within(db, scopeOf(asker), async (sql) => {
    // Two who make one at once: the second changes the address of the first's.
    const changed = await change(sql, asker, version, sql`url = ${url}`, now)
    if (changed) return { secret: undefined }
    if (version !== undefined && version > 0) throw new Problem('changed-meanwhile')
    const secret = newWebhookSecret()
    const sealed = seal(key, secretBoundTo(serviceId), secret)
    const made = await sql`
      insert into webhook (service_id, url, secret_sealed, position, created_at, changed_at, changed_by_name)
      values (${serviceId}, ${url}, ${sealed}, ${await endOfFeed(sql, serviceId)}, ${now}, ${now}, ${asker.name})
      on conflict do nothing`
    if (made.count === 0) throw new Problem('changed-meanwhile')
    return { secret }
  })
}

/** Makes a new secret. The one before signs too for a day. Throws `not-found`, `changed-meanwhile`. */
export async function changeWebhookSecret(
  db: Db,
  asker: Asker,
  version: number | undefined,
  key: Buffer,
  now: Date,
): Promise<{ secret: string }> {
  const secret = newWebhookSecret()
  const sealed = seal(key, secretBoundTo(asker.serviceId), secret)
  const until = new Date(now.getTime() + secretOverlapMs)
  await within(db, scopeOf(asker), async (sql) => {
    const set = sql`secret_before_sealed = secret_sealed, secret_before_until = ${until}, secret_sealed = ${sealed}`
    await mustChange(sql, asker, version, set, now)
  })
  return { secret }
}

/** What happens while it is off is delivered when it is on again. Throws `not-found`. */
export async function switchWebhook(db: Db, asker: Asker, isOn: boolean, now: Date): Promise<void> {
  await within(db, scopeOf(asker), (sql) => mustChange(sql, asker, undefined, sql`is_on = ${isOn}`, now))
}

/** With all that was not delivered. Again is harmless. */
export async function removeWebhook(db: Db, asker: Asker): Promise<void> {
  await within(db, scopeOf(asker), async (sql) => {
    await sql`delete from webhook where ${ofAsker(sql, asker)}`
    await sql`delete from webhook_delivery where ${ofAsker(sql, asker)}`
  })
}

const ofAsker = (sql: Db, { serviceId }: Asker) => own(sql, sql`service_id = ${serviceId}`)

async function change(sql: Db, asker: Asker, version: number | undefined, set: ReturnType<typeof own>, now: Date) {
  const changed = await sql`
    update webhook set ${set}, version = version + 1, changed_at = ${now}, changed_by_name = ${asker.name}
    where ${ofAsker(sql, asker)} and version = coalesce(${version ?? null}, version)`
  return changed.count > 0
}

async function mustChange(sql: Db, asker: Asker, version: number | undefined, set: ReturnType<typeof own>, now: Date) {
  if (await change(sql, asker, version, set, now)) return
  const [there] = await sql`select from webhook where ${ofAsker(sql, asker)}`
  throw new Problem(there === undefined ? 'not-found' : 'changed-meanwhile')
}

import { randomUUID } from 'node:crypto'
import type { Config } from '../config.ts'
import type { Db } from '../database/connect.ts'
import { own } from '../database/own.ts'
import { readWithin, within } from '../database/scope.ts'
import { Problem } from '../problems.ts'
import { deriveKey, seal, unseal } from '../seal.ts'

/** A service's account at GOV.UK Pay, as whoever looks after it sees it. The token and the secret are never shown again. */
export type PayAccount = {
  serviceId: string
  /** Stands in the address of its webhook. */
  id: string
  hasWebhookSecret: boolean
  changedAt: Date
  changedByName: string
}

/** What paying needs of the settings: where GOV.UK Pay is, and the key that seals tokens. */
export type PayReach = { url: string; key: Buffer }

export function payReach({ pay, secretKey }: Pick<Config, 'pay' | 'secretKey'>): PayReach {
  return { url: pay.url, key: deriveKey(secretKey, 'pay accounts') }
}

/** What each is sealed for, so that it opens in no other row or column. */
const boundTo = (serviceId: string, what: 'token' | 'webhook secret') => `pay ${what} ${serviceId}`

const secret = /^[\x21-\x7e]{8,500}$/

export type AccountChange = { token?: string | undefined; webhookSecret?: string | undefined }

/**
 * Gives a service an account, or changes what is given of the one that it has. `asker` is whom the door knows to manage the service's
 * systems. Throws `pay-token-not-valid`.
 */
export async function savePayAccount(
  db: Db,
  asker: { serviceId: string; name: string },
  { token, webhookSecret }: AccountChange,
  { key }: Pick<PayReach, 'key'>,
  now: Date,
): Promise<void> {
  const { serviceId, name } = asker
  for (const text of [token, webhookSecret])
    if (text !== undefined && !secret.test(text)) throw new Problem('pay-token-not-valid')
  const tokenSealed = token === undefined ? null : seal(key, boundTo(serviceId, 'token'), token)
  const webhookSealed = webhookSecret === undefined ? null : seal(key, boundTo(serviceId, 'webhook secret'), webhookSecret)
  await within(db, { ownServices: [serviceId] }, async (sql) => {
    const changed = await sql`
      update pay_account
      set token_sealed = coalesce(${tokenSealed}, token_sealed), webhook_secret_sealed = coalesce(${webhookSealed}, webhook_secret_sealed),
          changed_at = ${now}, changed_by_name = ${name}
      where ${own(sql, sql`service_id = ${serviceId}`)}`
    if (changed.count > 0) return
    if (tokenSealed === null) throw new Problem('pay-token-not-valid')
    await sql`
      insert into pay_account (service_id, id, token_sealed, webhook_secret_sealed, changed_at, changed_by_name)
      values (${serviceId}, ${randomUUID()}, ${tokenSealed}, ${webhookSealed}, ${now}, ${name})
      on conflict (service_id) do update set token_sealed = excluded.token_sealed, webhook_secret_sealed = excluded.webhook_secret_sealed,
        changed_at = excluded.changed_at, changed_by_name = excluded.changed_by_name`
  })
}

/** What is to be paid already cannot be paid by it any more. Again is harmless. */
export async function removePayAccount(db: Db, { serviceId }: { serviceId: string }): Promise<void> {
  await within(
    db,
    { ownServices: [serviceId] },
    (sql) => sql`delete from pay_account where ${own(sql, sql`service_id = ${serviceId}`)}`,
  )
}

export async function findPayAccounts(db: Db, serviceIds: readonly string[]): Promise<PayAccount[]> {
  return readWithin<PayAccount>(
    db,
    { ownServices: serviceIds },
    db`
    select service_id, id, webhook_secret_sealed is not null as has_webhook_secret, changed_at, changed_by_name
    from pay_account where ${own(db, db`service_id = any(${serviceIds as string[]}::uuid[])`)} order by service_id`,
  )
}

/** For who pays, and for whoever says that somebody has: never for a page. Undefined where there is none, or another key has sealed it. */
export async function openPayAccount(
  db: Db,
  by: { serviceId: string } | { accountId: string },
  { key }: Pick<PayReach, 'key'>,
): Promise<{ serviceId: string; token: string; webhookSecret: string | undefined } | undefined> {
  const [account] = await readWithin<{ serviceId: string; tokenSealed: Buffer; webhookSecretSealed: Buffer | null }>(
    db,
    { purpose: 'paying' },
    db`
    select service_id, token_sealed, webhook_secret_sealed from pay_account
    where ${'accountId' in by ? db`id = ${by.accountId}` : db`service_id = ${by.serviceId}`}`,
  )
  if (account === undefined) return undefined
  const { serviceId, tokenSealed, webhookSecretSealed } = account
  return {
    serviceId,
    token: unseal(key, boundTo(serviceId, 'token'), tokenSealed),
    webhookSecret: webhookSecretSealed ? unseal(key, boundTo(serviceId, 'webhook secret'), webhookSecretSealed) : undefined,
  }
}

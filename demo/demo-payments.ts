import type { Config } from '../src/config.ts'
import type { Database } from '../src/database/connect.ts'
import { payReach, savePayAccount } from '../src/mailbox/pay-account.ts'
import { listServices } from '../src/registry/services.ts'

/** Services of the demo world that take payments by the stand-in for GOV.UK Pay. */
export const payingServices = ['council-tax', 'parking'] as const

/** At each start: what seals the tokens may be another than when the database was filled. */
export async function openDemoPayments(database: Database, config: Config, now: Date): Promise<void> {
  const services = await listServices(database, { slugs: payingServices })
  for (const { id, slug } of services) {
    const account = { token: `api_test_${slug}-of-the-demo`, webhookSecret: `webhook-secret-of-${slug}` }
    await savePayAccount(database, { serviceId: id, name: 'Demo' }, account, payReach(config), now)
  }
}

import type { Database } from '../src/database/connect.ts'
import { within } from '../src/database/scope.ts'
import { bringLinking } from '../src/registry/link-declaration.ts'
import { listServices } from '../src/registry/services.ts'
import { type DemoSite, demoServiceFolder } from '../src/sign-in/demo-service.ts'

/** The sites at which services of the demo world are linked. `CT-9999` and `SP-9999` are nobody, and stay so. */
export const demoSites: readonly DemoSite[] = [
  {
    service: 'council-tax',
    title: 'Northfold council tax account',
    organisationName: 'Northfold Council',
    numberName: 'council tax account number',
    example: 'CT-1003',
    numbers: /^CT-\d{4}$/,
    nobodys: ['CT-9999'],
  },
  {
    service: 'state-pension',
    title: 'State pension account',
    organisationName: 'Agency for Pensions and Support',
    numberName: 'pension reference',
    example: 'SP-7005',
    numbers: /^SP-\d{4}$/,
    nobodys: ['SP-9999'],
  },
]

/** At each start: the demo may have another address than when its database was filled. */
export async function openDemoLinking(database: Database, baseUrl: string): Promise<void> {
  const services = await listServices(database, { slugs: demoSites.map(({ service }) => service) })
  await within(database, { purpose: 'registry' }, async (sql) => {
    for (const { service, title } of demoSites) {
      const id = services.find(({ slug }) => slug === service)?.id
      const issuer = `${baseUrl}${demoServiceFolder}/${service}`
      if (id !== undefined)
        await bringLinking(sql, id, { address: `${issuer}/link`, issuer, jwksUrl: `${issuer}/jwks.json`, name: title })
    }
  })
}

import type { Db } from '../database/connect.ts'
import type { FieldProblem } from '../problems.ts'
import type { DeclaredOrganisation } from './declaration.ts'
import type { Schemes } from './scheme.ts'

/** Which schemes of the whole installation each service may use: those that the declaration names, and no others. */
export async function bringSchemes(
  db: Db,
  schemes: Schemes,
  { services }: DeclaredOrganisation,
  serviceIds: ReadonlyMap<string, string>,
  at: string,
  problems: FieldProblem[],
): Promise<void> {
  for (const [index, { slug, schemes: wanted }] of services.entries()) {
    if (wanted === undefined) continue
    for (const [place, scheme] of wanted.entries()) {
      if (!schemes.has(scheme))
        problems.push({
          field: `${at}/services/${index}/schemes/${place}`,
          message: `must be one of ${[...schemes.keys()].join(', ')}`,
        })
    }
    const serviceId = serviceIds.get(slug)!
    await db`delete from service_scheme where service_id = ${serviceId} and not scheme = any(${wanted}::text[])`
    await db`
      insert into service_scheme (service_id, scheme) select ${serviceId}, unnest(${wanted}::text[]) on conflict do nothing`
  }
}

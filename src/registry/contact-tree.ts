import { type Actor, servicesFor } from '../access/actor.ts'
import { requireRight } from '../access/rights.ts'
import { scopeOf } from '../access/scope-of.ts'
import type { Db } from '../database/connect.ts'
import { readWithin } from '../database/scope.ts'
import { type ContactGroup, type ContactPoint, contactPointColumns, contactPointTables } from './contact-point.ts'

/** All of a public body's contact points and groups. `isManaged`: the actor may change it. */
export type ContactTree = { groups: ContactGroup[]; points: (ContactPoint & { isManaged: boolean })[] }

/** The contact points of the actor's public body, those of other services too: whoever adds one sees what is there. */
export async function readContactTree(db: Db, actor: Actor): Promise<ContactTree> {
  requireRight(actor, 'contact-points:manage')
  const [groups, points] = await Promise.all([
    readWithin<ContactGroup>(
      db,
      scopeOf(actor),
      db`
        select id, slug, version, parent_id, name, description from contact_group
        where organisation_id = ${actor.partyId}
        order by name ->> 'en', id`,
    ),
    readWithin<ContactPoint>(
      db,
      scopeOf(actor),
      db`
        select ${contactPointColumns(db)} from ${contactPointTables(db)}
        where point.organisation_id = ${actor.partyId}
        order by point.name ->> 'en', point.id`,
    ),
  ])
  const services = servicesFor(actor, 'contact-points:manage')
  return { groups, points: points.map((point) => ({ ...point, isManaged: services?.includes(point.serviceId) ?? true })) }
}

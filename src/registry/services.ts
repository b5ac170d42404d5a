import type { Db } from '../database/connect.ts'

export type Service = {
  id: string
  slug: string
  name: string
  description: string
  organisationId: string
  organisationName: string
  /** Of the organisation: where what is written to the service arrives. */
  mailboxId: string
}

/** Services, by the name of their organisation and their own; all of them, or those named by id or by slug. */
export async function listServices(
  db: Db,
  only?: { ids?: readonly string[]; slugs?: readonly string[]; organisationSlug?: string },
): Promise<Service[]> {
  return db<Service[]>`
    select service.id, service.slug, service.name, service.description, service.organisation_id,
           party.name as organisation_name, mailbox.id as mailbox_id
    from service
    join organisation on organisation.party_id = service.organisation_id
    join party on party.id = service.organisation_id
    join mailbox on mailbox.party_id = service.organisation_id
    where true
      ${only?.ids ? db`and service.id = any(${only.ids as string[]}::uuid[])` : db``}
      ${only?.slugs ? db`and service.slug = any(${only.slugs as string[]})` : db``}
      ${only?.organisationSlug === undefined ? db`` : db`and organisation.slug = ${only.organisationSlug}`}
    order by party.name, service.name`
}

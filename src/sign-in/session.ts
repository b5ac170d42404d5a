import { createHash, createHmac, createSecretKey, type KeyObject, randomBytes } from 'node:crypto'
import { v7 as newId } from 'uuid'
import { type Actor, nameWithFirm } from '../access/actor.ts'
import { actorByGrant } from '../access/actor-by-grant.ts'
import {
  type CategoryName,
  type GrantKind,
  type GrantRole,
  grantHolds,
  grantOpens,
  grantPassesOn,
  limitsByName,
  weakerOfBoth,
} from '../access/grant.ts'
import { noteLooks } from '../access/look.ts'
import { rightsOf, rightsOfStaff, type StaffRole } from '../access/rights.ts'
import type { Db } from '../database/connect.ts'
import { readWithin, within } from '../database/scope.ts'
import { Problem } from '../problems.ts'
import { endGracePeriod } from '../registry/end-grace-period.ts'
import { deriveKey, seal, unseal } from '../seal.ts'

export type SessionKeys = { seal: Buffer; form: KeyObject }
export type SessionLimits = { sessionIdleMinutes: number; sessionAbsoluteMinutes: number }

export function deriveSessionKeys(secretKey: Buffer): SessionKeys {
  return { seal: deriveKey(secretKey, 'session seal'), form: createSecretKey(deriveKey(secretKey, 'session form')) }
}

export type NewSession = {
  /** A person's party, a member of staff, or a registrar. */
  owner: { partyId: string } | { staffId: string } | { registrarId: string }
  subject: string
  idToken: string
  /** Browser and system, in words (device.ts). */
  device?: string | undefined
  /** The session that the same browser had before, which ends. */
  replaces: string | undefined
}

/** Answers the token for the cookie. Only its hash is kept, so that who reads the database cannot use a session. */
export async function startSession(db: Db, keys: SessionKeys, session: NewSession, now: Date): Promise<string> {
  const token = randomBytes(32).toString('base64url')
  const id = hashToken(token)
  const { owner, subject, idToken, device = null, replaces } = session
  await within(
    db,
    { purpose: 'sign-in' },
    (sql) => sql`
    with before as (delete from session where id_hash = ${hashToken(replaces ?? '')})
    insert into session (id_hash, id, device, party_id, staff_id, registrar_id, subject, id_token_sealed, created_at, last_seen_at)
    values (
      ${id}, ${newId()}, ${device}, ${'partyId' in owner ? owner.partyId : null}, ${'staffId' in owner ? owner.staffId : null},
      ${'registrarId' in owner ? owner.registrarId : null},
      ${subject}, ${seal(keys.seal, id, idToken)}, ${now}, ${now}
    )`,
  )
  return token
}

export type Session = {
  /** By which the person names it, among all of theirs. */
  id: string
  role: SignedInRole
  actor: Actor
  /** Of the person who is signed in, the member of staff or the registrar. */
  name: string
  /** Of the public body, for staff. */
  organisationName: string | undefined
  /** Whose mailbox is open, where it is not the person's own, and what they may do there. */
  openMailbox: OpenMailbox | undefined
  /** The mailbox that was open may not be opened any more: the actor is the person's own again. */
  hasLostAccess: boolean
}
export type SignedInRole = 'person' | 'staff' | 'registrar'

export type OpenMailbox = {
  grantId: string
  /** Where it was opened through a firm that holds the grant: the firm's own grant to the person, and its name. */
  viaGrantId: string | null
  firmName: string | null
  ownerName: string
  isBusiness: boolean
  kind: GrantKind
  role: GrantRole
  isAdministrator: boolean
  serviceNames: string[] | null
  categoryNames: CategoryName[] | null
  endsAt: Date | null
}

/** All that is asked for of a person in their own mailbox. */
type OwnRow = {
  id: string
  createdAt: Date
  lastSeenAt: Date
  partyId: string | null
  mailboxId: string | null
  partyName: string | null
  grantId: string | null
}
/** Of staff, registrars and whoever has another's mailbox open. */
type Row = OwnRow & {
  staffId: string | null
  staffName: string | null
  staffRoles: { role: StaffRole; serviceId: string }[] | null
  registrarId: string | null
  registrarName: string | null
  viaGrantId: string | null
  firmName: string | null
  ownerId: string | null
  ownerMailboxId: string | null
  ownerName: string | null
  ownerKind: string | null
  grantKind: GrantKind | null
  grantRole: GrantRole | null
  grantEndsAt: Date | null
  serviceNames: string[] | null
  categoryNames: CategoryName[] | null
  isAdministrator: boolean | null
  serviceIds: string[] | null
  categories: string[] | null
}

/** Whose session it is, unless it has ended: one query for a person in their own mailbox, as every page asks. Being seen is written at most once a minute. */
export async function readSession(
  db: Db,
  limits: SessionLimits,
  token: string,
  requestId: string,
  now: Date,
): Promise<Session | undefined> {
  const row = await findRow(db, limits, token, now)
  if (row === undefined) return undefined
  if (now.getTime() - row.lastSeenAt.getTime() >= 60_000) {
    const id = hashToken(token)
    await within(
      db,
      { purpose: 'sign-in' },
      (sql) => sql`update session set last_seen_at = ${now} where id_hash = ${id} and last_seen_at < ${now}`,
    )
  }
  return toSession(row, requestId)
}

/** The same, by what is open in a window and asks by itself: the person is not seen by that. */
export async function watchSession(
  db: Db,
  limits: SessionLimits,
  token: string,
  requestId: string,
  now: Date,
): Promise<Session | undefined> {
  const row = await findRow(db, limits, token, now)
  return row && toSession(row, requestId)
}

async function findRow(db: Db, limits: SessionLimits, token: string, now: Date): Promise<OwnRow | Row | undefined> {
  const id = hashToken(token)
  const { idle, absolute } = earliest(limits, now)
  const holds = db`session.id_hash = ${id} and session.last_seen_at > ${idle} and session.created_at > ${absolute}`
  const [own] = await readWithin<OwnRow>(
    db,
    { purpose: 'sign-in' },
    db`
      select session.id, session.created_at, session.last_seen_at, session.grant_id, party.id as party_id, party.name as party_name, mailbox.id as mailbox_id
      from session
      left join lateral (select * from party where id = session.party_id offset 0) party on true
      left join lateral (select * from mailbox where party_id = party.id offset 0) mailbox on true
      where ${holds}`,
  )
  if (own === undefined || (own.mailboxId !== null && own.grantId === null)) return own
  const [row] = await readWithin<Row>(
    db,
    { purpose: 'sign-in' },
    db`
      select session.id, session.created_at, session.last_seen_at, session.staff_id, staff.name as staff_name, session.registrar_id, registrar.name as registrar_name,
        party.id as party_id, party.name as party_name, mailbox.id as mailbox_id, session.grant_id, session.via_grant_id,
        owner.id as owner_id, owner.name as owner_name, owner.kind as owner_kind, owner_mailbox.id as owner_mailbox_id,
        held.kind as grant_kind, held.role as grant_role, held.ends_at as grant_ends_at, held.is_administrator,
        held.service_ids, held.categories, case when session.via_grant_id is not null then held.holder_name end as firm_name, ${limitsByName(db)},
        (select jsonb_agg(jsonb_build_object('role', role, 'serviceId', service_id)) from staff_role where staff_role.staff_id = staff.id)
          as staff_roles
      from session
      -- One by one, by their keys ("offset 0" keeps the planner from another order): the tables may be large. What a key is
      -- worked out from stands apart, as row-level security keeps an expression out of an index.
      left join lateral (select * from staff_member where id = session.staff_id and is_active offset 0) staff on true
      left join lateral (select * from registrar where id = session.registrar_id and is_active offset 0) registrar on true
      left join lateral (select coalesce(session.party_id, staff.organisation_id) as party_id offset 0) entered on true
      left join lateral (select * from party where id = entered.party_id offset 0) party on true
      left join lateral (select * from mailbox where party_id = party.id offset 0) mailbox on true
      left join lateral (
        select * from access_grant held
        where held.id = session.via_grant_id and held.holder_id = session.party_id and ${grantPassesOn(db)} and ${grantHolds(db, now)} offset 0
      ) via on true
      left join lateral (
        select held.giver_id, held.holder_name, held.kind, ${weakerOfBoth(db)} from access_grant held
        where held.id = session.grant_id and ${grantHolds(db, now)}
          and held.holder_id = case when session.via_grant_id is null then session.party_id else via.giver_id end offset 0
      ) held on true
      left join lateral (select * from party where id = held.giver_id offset 0) owner on true
      left join lateral (
        select * from mailbox owner_mailbox where owner_mailbox.party_id = held.giver_id and ${grantOpens(db)} offset 0
      ) owner_mailbox on true
      where ${holds}`,
  )
  return row === undefined || (row.mailboxId === null && row.registrarId === null) ? undefined : row
}

function toSession(row: OwnRow | Row, requestId: string): Session {
  const signedIn = signedInAs(row, requestId)
  const actor = { ...signedIn.actor, identifiedAt: row.createdAt }
  return {
    ...signedIn,
    id: row.id,
    actor,
    hasLostAccess: 'ownerMailboxId' in row && row.grantId !== null && row.ownerMailboxId === null,
  }
}

function signedInAs(row: OwnRow | Row, requestId: string): Omit<Session, 'id' | 'hasLostAccess'> {
  const mailbox = { partyId: row.partyId!, mailboxId: row.mailboxId!, categories: undefined }
  const one = { openMailbox: undefined, organisationName: undefined }
  if ('registrarName' in row && row.registrarName !== null) {
    const by = { kind: 'registrar', id: row.registrarId!, name: row.registrarName } as const
    const actor = {
      ...mailbox,
      isOrganisation: false,
      rights: rightsOf('registrar'),
      by,
      door: 'registrar-pages',
      requestId,
    } as const
    return { ...one, role: 'registrar', actor, name: by.name }
  }
  if ('staffName' in row && row.staffName !== null) {
    const by = { kind: 'staff', id: row.staffId!, name: row.staffName } as const
    const rights = rightsOfStaff(row.staffRoles ?? [])
    const actor = { ...mailbox, isOrganisation: true, rights, by, door: 'department-pages', requestId } as const
    return { ...one, role: 'staff', actor, name: by.name, organisationName: row.partyName! }
  }
  const person = { id: row.partyId!, name: row.partyName! }
  if ('ownerMailboxId' in row && row.ownerMailboxId !== null) {
    const held = {
      grantId: row.grantId!,
      viaGrantId: row.viaGrantId,
      firmName: row.firmName,
      ownerId: row.ownerId!,
      ownerMailboxId: row.ownerMailboxId,
      kind: row.grantKind!,
      role: row.grantRole!,
      isAdministrator: row.isAdministrator!,
      serviceIds: row.serviceIds,
      categories: row.categories,
    }
    const openMailbox = {
      grantId: held.grantId,
      viaGrantId: held.viaGrantId,
      firmName: held.firmName,
      ownerName: row.ownerName!,
      isBusiness: row.ownerKind === 'business',
      kind: held.kind,
      role: held.role,
      isAdministrator: held.isAdministrator,
      serviceNames: row.serviceNames,
      categoryNames: row.categoryNames,
      endsAt: row.grantEndsAt,
    }
    const actor = actorByGrant(person, held, requestId)
    return { ...one, role: 'person', actor, name: person.name, openMailbox }
  }
  const by = { kind: 'owner', ...person } as const
  const actor = { ...mailbox, isOrganisation: false, rights: rightsOf('owner'), by, door: 'citizen-pages', requestId } as const
  return { ...one, role: 'person', actor, name: person.name }
}

/** By which another's mailbox is opened: a grant to the person; or to a firm, with the firm's own to the person. */
export type Opening = { grantId: string; viaGrantId?: string | undefined }

type Opened = { giverId: string; personId: string; personName: string; firmName: string | null; isAdministrator: boolean }

/**
 * Opens another's mailbox in the session, by grants that hold now; without any, the person's own. Its owner sees when it was
 * opened. Throws `not-found`.
 */
export async function openMailbox(db: Db, token: string, opening: Opening | undefined, now: Date): Promise<void> {
  const id = hashToken(token)
  await within(db, { purpose: 'sign-in' }, async (sql) => {
    if (opening === undefined) {
      await sql`update session set grant_id = null, via_grant_id = null where id_hash = ${id}`
      return
    }
    const { grantId, viaGrantId = null } = opening
    const [opened] = await sql<Opened[]>`
      update session set grant_id = held.id, via_grant_id = held.via_grant_id
      from (
          select held.id, via.id as via_grant_id, held.giver_id, held.kind, coalesce(via.holder_id, held.holder_id) as person_id,
            case when via.id is not null then held.holder_name end as firm_name, ${weakerOfBoth(sql)}
          from access_grant held
            left join (
              select * from access_grant held
              where held.id = ${viaGrantId}::uuid and ${grantPassesOn(sql)} and ${grantHolds(sql, now)}
            ) via on via.giver_id = held.holder_id
          where held.id = ${grantId} and ${grantHolds(sql, now)}
        ) held
        join mailbox owner_mailbox on owner_mailbox.party_id = held.giver_id
        join party person on person.id = held.person_id
      where session.id_hash = ${id} and session.party_id = held.person_id and ${grantOpens(sql)}
      returning held.giver_id, person.id as person_id, person.name as person_name, held.firm_name, held.is_administrator`
    if (opened === undefined) throw new Problem('not-found')
    const by = { kind: 'helper', id: opened.personId, name: nameWithFirm(opened.personName, opened.firmName), grantId } as const
    await noteLooks(sql, [{ partyId: opened.giverId, by, what: 'mailbox-opened' }], now)
    if (opened.isAdministrator) await endGracePeriod(sql, { partyId: opened.giverId }, now)
  })
}

/** Answers the provider's ID token, which it wants back for signing out there too; undefined when there was no such session. */
export async function endSession(db: Db, keys: SessionKeys, token: string): Promise<string | undefined> {
  const id = hashToken(token)
  const [row] = await within(
    db,
    { purpose: 'sign-in' },
    (sql) => sql<{ idTokenSealed: Buffer }[]>`delete from session where id_hash = ${id} returning id_token_sealed`,
  )
  return row && unseal(keys.seal, id, row.idTokenSealed)
}

/** For a job: what has ended by itself, and the tokens that nobody can use again anyway. */
export async function deleteExpiredSessions(db: Db, limits: SessionLimits, now: Date): Promise<void> {
  const { idle, absolute } = earliest(limits, now)
  await within(db, { purpose: 'upkeep' }, async (sql) => {
    await sql`delete from session where last_seen_at <= ${idle} or created_at <= ${absolute}`
    await sql`delete from used_token where expires_at < ${now}`
  })
}

/**
 * What every form of the session carries, in two halves: of which session it is, and of which mailbox that was open then. A form
 * of one mailbox is not taken while another is open.
 */
export function formToken(keys: SessionKeys, token: string, grantId: string | undefined): string {
  const half = (text: string) => createHmac('sha256', keys.form).update(text).digest('base64url')
  return half(token).slice(0, sessionHalf) + half(`${token} ${grantId ?? 'own'}`).slice(sessionHalf)
}

/** So many characters of a form's token say of which session it is. */
export const sessionHalf = 21

/** A session that was begun, or last seen, before these has ended. */
export function earliest({ sessionIdleMinutes, sessionAbsoluteMinutes }: SessionLimits, now: Date) {
  const before = (minutes: number) => new Date(now.getTime() - minutes * 60_000)
  return { idle: before(sessionIdleMinutes), absolute: before(sessionAbsoluteMinutes) }
}

function hashToken(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

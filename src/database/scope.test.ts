import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { v7 as newId } from 'uuid'
import { createTestDatabase, type TestDatabase } from '../../test/database.ts'
import type { Database, Fragment } from './connect.ts'
import { readWithin, type Scope, within, writeWithin } from './scope.ts'

describe('isolation by the database', () => {
  let test_: TestDatabase
  const [rosa, arthur] = [newId(), newId()]
  before(async () => {
    test_ = await createTestDatabase()
    await test_.owner`
      insert into party (id, kind, name) values (${rosa}, 'person', 'Rosa Example'), (${arthur}, 'person', 'Arthur Sample')`
  })
  after(() => test_.drop())

  const names = (scope: Scope) =>
    readWithin<{ name: string }>(test_.database, scope, test_.database`select name from party order by name`)

  test('is on and forced for every table, and each has a policy for the program', async () => {
    const tables = await test_.owner<{ name: string; isOn: boolean; isForced: boolean; policies: string }[]>`
      select relname as name, relrowsecurity as is_on, relforcerowsecurity as is_forced,
             (select count(*) from pg_policy where polrelid = pg_class.oid and polname <> 'upkeep') as policies
      from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')`
    assert.ok(tables.length > 20)
    const open = tables.filter(({ isOn, isForced, policies }) => !isOn || !isForced || policies === '0')
    assert.deepEqual(open, [], 'Give each of these tables its policies, in the migration that makes it.')
  })

  // PostgreSQL asks them in the reverse order of their names (docs/decisions/0009-isolation.md), and the log and the feeds read events by the thousand.
  test('asks of an event last what has to look into another table', async () => {
    const policies = await test_.owner<{ name: string; looks: boolean }[]>`
      select polname as name, exists (
        select from pg_depend join pg_proc on pg_proc.oid = refobjid join pg_language on pg_language.oid = prolang
        where classid = 'pg_policy'::regclass and objid = pg_policy.oid and refclassid = 'pg_proc'::regclass and lanname = 'plpgsql'
      ) as looks
      from pg_policy where polrelid = 'event'::regclass and polcmd in ('r', '*') order by polname`
    assert.deepEqual(
      policies.map(({ looks }) => looks),
      policies.map((_, index) => index === 0),
    )
  })

  test('binds the role that the program logs in as, which owns nothing and may pass over nothing', async () => {
    const [role] = await test_.database`
      select rolsuper as is_super, rolbypassrls as passes_over, rolcreaterole as makes_roles, rolcreatedb as makes_databases,
             (select count(*)::int from pg_class where relowner = pg_roles.oid) as owns,
             pg_has_role(current_user, (select relowner from pg_class where oid = 'message'::regclass), 'member') as is_owner
      from pg_roles where rolname = current_user`
    const nothing = { isSuper: false, passesOver: false, makesRoles: false, makesDatabases: false, owns: 0, isOwner: false }
    assert.deepEqual({ ...role }, nothing)
  })

  test('shows nothing of anybody where no scope is set', async () => {
    const tables = ['party', 'mailbox', 'message', 'file', 'ledger', 'event', 'link', 'session', 'access_grant', 'client', 'look']
    for (const table of tables) {
      const rows = await test_.database`select from ${test_.database(table)}`
      assert.equal(rows.length, 0, table)
    }
  })

  test('shows what a scope says, and nothing after it', async () => {
    assert.deepEqual(await names({ party: rosa }), [{ name: 'Rosa Example' }])
    assert.deepEqual(await names({}), [])
    const { database } = test_
    assert.deepEqual([...(await database`select name from party`)], [])
    await within(database, { party: arthur }, async (sql) => {
      assert.deepEqual([...(await sql`select name from party`)], [{ name: 'Arthur Sample' }])
    })
    assert.deepEqual([...(await database`select name from party`)], [])
  })

  test('goes back to the scope before where one stands in another, also where that fails', async () => {
    await within(test_.database, { party: rosa }, async (sql) => {
      const inner = within(sql, { party: arthur }, async (deeper) => {
        assert.deepEqual([...(await deeper`select name from party`)], [{ name: 'Arthur Sample' }])
        throw new Error('as meant')
      })
      await assert.rejects(inner, /as meant/)
      assert.deepEqual([...(await sql`select name from party`)], [{ name: 'Rosa Example' }])
      const several = [rosa, arthur, rosa].map((party) =>
        readWithin<{ name: string }>(sql, { party }, sql`select name from party`),
      )
      const found = (await Promise.all(several)).map(([row]) => row?.name)
      assert.deepEqual(found, ['Rosa Example', 'Arthur Sample', 'Rosa Example'], 'several at once do not mix')
    })
  })

  test('lets a statement change only what its scope says', async () => {
    const rename = (scope: Scope) =>
      writeWithin<{ name: string }>(
        test_.database,
        scope,
        (sql, setsScope) => sql`
          with scope as materialized (select ${setsScope})
          insert into party (id, kind, name) select ${newId()}, 'person', 'Somebody' from scope returning name`,
      )
    await assert.rejects(rename({ party: rosa }), /row-level security/)
    assert.deepEqual([...(await rename({ purpose: 'registry' }))], [{ name: 'Somebody' }])
  })
})

/** Of each table one row that is Rosa's, or the council's for council tax. */
const ids = {
  rosa: newId(),
  rosaMailbox: newId(),
  firm: newId(),
  carol: newId(),
  council: newId(),
  councilMailbox: newId(),
  tax: newId(),
  parking: newId(),
  staff: newId(),
  registrar: newId(),
  letter: newId(),
  written: newId(),
  grant: newId(),
  action: newId(),
  upload: newId(),
}

/** Who asks. The helper is Rosa's, for another service; parking is another service of the council. */
const person = (party: string, mailbox: string): Scope => ({ party, mailbox, senders: [party], isHelper: false })
const staffOf = (organisation: string, mailbox: string, service: string): Scope => ({
  ...person(organisation, mailbox),
  senders: [service],
  services: [service],
  organisation,
  ownServices: [service],
})
const scopes = {
  rosa: person(ids.rosa, ids.rosaMailbox),
  helper: { ...person(ids.rosa, ids.rosaMailbox), services: [ids.parking], isHelper: true },
  tax: staffOf(ids.council, ids.councilMailbox, ids.tax),
  parking: staffOf(ids.council, ids.councilMailbox, ids.parking),
  /** Works for a firm that Rosa has let in. */
  colleague: { ...person(newId(), newId()), firms: [ids.firm] },
  arthur: person(newId(), newId()),
  agency: staffOf(newId(), newId(), newId()),
  'sign-in': { purpose: 'sign-in' },
  registry: { purpose: 'registry' },
  granting: { purpose: 'granting', party: newId() },
  linking: { purpose: 'linking', party: newId() },
  merge: { purpose: 'merge' },
  delivery: { purpose: 'delivery' },
  upkeep: { purpose: 'upkeep' },
  paying: { purpose: 'paying' },
  calendar: { purpose: 'calendar' },
  alerts: { purpose: 'alerts' },
  evidence: { purpose: 'evidence' },
  following: { purpose: 'following' },
  erasing: { purpose: 'erasing' },
  watching: { purpose: 'watching', watched: [ids.rosaMailbox] },
  search: { purpose: 'search', mailbox: ids.rosaMailbox, senders: [ids.rosa] },
} as const satisfies Record<string, Scope>
type Asker = keyof typeof scopes

/**
 * What each may do with that row: read, update, delete it. Whoever is not named sees, changes and deletes nothing, and so it is for
 * another person and another public body, in every table that is somebody's.
 */
const reach: Record<string, Partial<Record<Asker, string>>> = {
  party: { rosa: 'r', helper: 'r', 'sign-in': 'r', registry: 'rud', granting: 'r', linking: 'r', merge: 'rud', delivery: 'r' },
  mailbox: {
    rosa: 'ru',
    helper: 'ru',
    'sign-in': 'r',
    registry: 'rud',
    granting: 'r',
    merge: 'rud',
    delivery: 'r',
    watching: 'r',
    search: 'r',
  },
  consent: { rosa: 'rud', helper: 'rud', registry: 'rud', merge: 'rud', delivery: 'r' },
  link: { rosa: 'rud', helper: 'rud', tax: 'r', registry: 'rud', linking: 'r', merge: 'rud', delivery: 'r' },
  link_request: { rosa: 'rud', helper: 'rud', linking: 'rud', merge: 'rud', upkeep: 'rud' },
  registration_change: { rosa: 'rud', helper: 'rud', registry: 'rud', merge: 'rud' },
  access_grant: { rosa: 'rud', helper: 'rud', 'sign-in': 'r', registry: 'rud', granting: 'r', colleague: 'r', merge: 'rud' },
  grant_document: { rosa: 'rud', helper: 'rud', registry: 'rud', merge: 'rud' },
  grant_attempt: { rosa: 'rud', helper: 'rud', merge: 'rud' },
  look: { rosa: 'r', tax: 'r', registry: 'rud', merge: 'rud' },
  one_login_subject: { 'sign-in': 'r', registry: 'rud', merge: 'rud' },
  session: { 'sign-in': 'rud', merge: 'rud', upkeep: 'rud' },
  preference: { 'sign-in': 'r', merge: 'rud', alerts: 'rud' },
  contact_detail: { merge: 'rud', alerts: 'rud' },
  outgoing: { merge: 'rud', alerts: 'rud' },
  used_token: { 'sign-in': 'rud', upkeep: 'rud' },

  action: { rosa: 'ru', tax: 'r', merge: 'rud', search: 'ru' },
  payment: { rosa: 'rud', paying: 'r', merge: 'rud', search: 'rud' },
  calendar_feed: { rosa: 'rud', calendar: 'r', merge: 'rud', search: 'rud' },
  action_host: { tax: 'rud', parking: 'rud', registry: 'rud', delivery: 'r' },
  pay_account: { tax: 'rud', registry: 'rud', paying: 'r', delivery: 'r' },
  message: { rosa: 'ru', tax: 'r', merge: 'rud', watching: 'r', search: 'ru' },
  file: { rosa: 'r', tax: 'r', merge: 'rud', watching: 'r', search: 'r' },
  folder: { rosa: 'rud', merge: 'rud', search: 'rud' },
  filing: { rosa: 'rud', helper: 'rud', merge: 'rud', upkeep: 'rud', search: 'rud' },
  ledger: { rosa: 'rud', tax: 'rud', merge: 'rud', search: 'rud' },
  withheld_message: { tax: 'rud', merge: 'rud', delivery: 'rud' },
  draft: { rosa: 'rud', merge: 'rud', search: 'rud' },
  draft_file: { rosa: 'rud', merge: 'rud', search: 'rud' },
  kept_form: { rosa: 'rud', helper: 'rud', merge: 'rud', upkeep: 'rud' },
  event: { rosa: 'r', tax: 'r', merge: 'rud', evidence: 'rud', search: 'r' },
  evidence_seal: { evidence: 'rud' },
  evidence_jws: { evidence: 'rud' },
  log_tile: { evidence: 'rud' },
  log_entries: { evidence: 'rud' },
  log_checkpoint: { evidence: 'rud' },
  log_state: { evidence: 'rud' },
  stand_in_memory: { evidence: 'rud' },

  search_state: { merge: 'rud', search: 'rud', erasing: 'ru', delivery: 'ru' },
  search_letter: { merge: 'rud', search: 'rud' },
  search_word: { merge: 'rud', search: 'rud' },
  document_text: { rosa: 'r', merge: 'rud', search: 'rud' },
  saved_search: { rosa: 'rud', helper: 'rud', merge: 'rud' },
  batch: { tax: 'rud' },
  batch_count: { tax: 'rud' },
  batch_error: { tax: 'rud' },
  batch_decision: { tax: 'rud', delivery: 'rud' },
  sent_count: { tax: 'rud' },
  letter_template: { tax: 'rud' },
  letter_template_version: { tax: 'rud' },
  mailing: { tax: 'rud', upkeep: 'rud', delivery: 'r' },
  mailing_file: { tax: 'rud', upkeep: 'rud' },
  mailing_row: { tax: 'rud', upkeep: 'rud' },
  mailing_error: { tax: 'rud', upkeep: 'rud' },
  upload: { tax: 'rud', upkeep: 'rud' },
  upload_chunk: { tax: 'rud' },

  staff_member: { tax: 'rud', parking: 'rud', 'sign-in': 'r', registry: 'rud' },
  staff_role: { tax: 'rud', parking: 'rud', 'sign-in': 'r', registry: 'rud' },
  staff_change: { tax: 'rud', registry: 'rud' },
  client: { tax: 'rud', 'sign-in': 'ru', registry: 'rud' },
  client_key: { tax: 'rud', 'sign-in': 'r', registry: 'rud' },
  client_change: { tax: 'rud', registry: 'rud' },
  approval: { tax: 'rud' },
  webhook: { tax: 'rud', following: 'rud' },
  webhook_delivery: { tax: 'rud', following: 'rud' },
  recipient_change: { tax: 'r', registry: 'rud', merge: 'rud' },
  known_identifier: { tax: 'r', registry: 'rud', merge: 'rud', delivery: 'r' },
  lookup_allowance: { tax: 'rud' },
  lookup_log: { tax: 'r' },

  registrar: { 'sign-in': 'r', registry: 'rud' },
  record_search: { registry: 'rud', merge: 'rud' },
  record_view: { registry: 'rud', merge: 'rud' },
  merge_request: { registry: 'rud', merge: 'rud' },
}

/** Public bodies and what they do may be read by everybody; these may change them. */
const directory: Record<string, readonly Asker[]> = {
  organisation: ['registry'],
  service: ['registry'],
  service_scheme: ['registry'],
  category: ['registry'],
  contact_group: ['tax', 'parking', 'registry'],
  contact_point: ['tax', 'parking', 'registry'],
  outage: ['evidence'],
}

async function fill(owner: Database): Promise<void> {
  const { rosa, rosaMailbox, carol, council, councilMailbox, tax, parking, staff, registrar, letter, written, grant } = ids
  const [at, bytes, id] = [new Date('2026-11-23T10:00:00Z'), Buffer.alloc(1), newId()]
  const add = (table: string, row: Record<string, unknown>) => owner`insert into ${owner(table)} ${owner(row)}`
  const post = { thread_id: letter, subject: 'A letter', content: owner.json([]), documents: owner.json([]), available_at: at }
  const of = { service_id: tax, sender_name: 'Somebody', service_name: 'Council tax', reply_allowed: true, door: 'demo' }
  await owner`
    insert into party (id, kind, name) values
      (${rosa}, 'person', 'Rosa Example'), (${carol}, 'person', 'Carol Example'), (${council}, 'public-body', 'Council'),
      (${ids.firm}, 'business', 'Firm')`
  await owner`insert into mailbox (id, party_id) values (${rosaMailbox}, ${rosa}), (${councilMailbox}, ${council})`
  await add('organisation', { party_id: council, slug: 'council' })
  for (const [service, slug] of [[tax, 'tax'] as const, [parking, 'parking'] as const])
    await add('service', { id: service, slug, organisation_id: council, name: slug })
  await add('service_scheme', { service_id: tax, scheme: 'nino' })
  await add('registrar', { id: registrar, subject: 'registrar', name: 'Registrar' })
  await add('consent', { party_id: rosa, id, category: 'general', given_at: at, wording: 'Yes', language: 'en' })
  await add('link', { service_id: tax, scheme: 'link', value_hash: bytes, value_sealed: bytes, party_id: rosa })
  const asked = { state: 'asked', created_at: at, expires_at: at }
  await add('link_request', { id, service_id: tax, kind: 'request', party_id: rosa, ...asked })
  const by = { by_kind: 'staff', by_id: staff, by_name: 'Staff' }
  await add('registration_change', { party_id: rosa, id, at, was: 'registered', became: 'exempt', reason: 'own-wish', ...by })
  const kind = { kind: 'helper', role: 'reader', holder_name: 'Carol', offered_by_name: 'Rosa' }
  const times = { starts_at: at, offered_at: at, accepted_at: at }
  await add('access_grant', { id: grant, giver_id: rosa, holder_id: ids.firm, holder_is_business: true, ...kind, ...times })
  await add('grant_document', { party_id: rosa, grant_id: grant, filename: 'a.pdf', media_type: 'application/pdf', bytes })
  await add('grant_attempt', { party_id: rosa, began_at: at, tries: 1 })
  await add('look', { party_id: rosa, id, at, ...by, what: 'read', message_id: letter, service_id: tax })
  await add('one_login_subject', { subject: 'rosa', party_id: rosa })
  const seen = { created_at: at, last_seen_at: at }
  await add('session', { id_hash: bytes, party_id: rosa, subject: 'rosa', id_token_sealed: bytes, ...seen })
  await add('preference', { party_id: rosa, language: 'cy' })
  await add('contact_detail', { party_id: rosa, id, kind: 'email', value_sealed: bytes, value_hash: bytes, created_at: at })
  const going = { created_at: at, ends_at: at, due_at: at }
  await add('outgoing', { id, party_id: rosa, kind: 'email', template: 'confirm-email', language: 'en', ...going })
  await add('used_token', { id_hash: bytes, expires_at: at })
  await add('message', { mailbox_id: rosaMailbox, id: letter, sender_id: tax, sender_party_id: council, ...of, ...post })
  await add('message', { mailbox_id: councilMailbox, id: written, sender_id: rosa, sender_party_id: rosa, ...of, ...post })
  await add('file', { mailbox_id: rosaMailbox, id, message_id: letter, bytes })
  const action = {
    id: ids.action,
    message_id: letter,
    ordinal: 0,
    sender_id: tax,
    service_id: tax,
    category: 'general',
    recipient_only: false,
  }
  await add('action', { mailbox_id: rosaMailbox, ...action, kind: 'confirm', said: '{}', state_at: at })
  const paid = { id, action_id: ids.action, message_id: letter, service_id: tax, by: owner.json({}), door: 'demo' }
  await add('payment', { mailbox_id: rosaMailbox, ...paid, state_at: at, created_at: at })
  await add('calendar_feed', { mailbox_id: rosaMailbox, token_hash: bytes, is_discreet: true, language: 'en', created_at: at })
  await add('action_host', { organisation_id: council, host: 'www.gov.uk', added_at: at, added_by_name: 'Staff' })
  await add('pay_account', { service_id: tax, id, token_sealed: bytes, changed_at: at, changed_by_name: 'Staff' })
  const draft = {
    kind: 'answer',
    message_id: letter,
    to_name: 'Council',
    service_id: tax,
    category: 'general',
    recipient_only: false,
  }
  const words = {
    subject: '',
    body: 'Dear council',
    answers: owner.json([]),
    updated_at: at,
    written_by_id: rosa,
    written_by_name: 'Rosa',
  }
  await add('draft', { mailbox_id: rosaMailbox, id, ...draft, ...words })
  const attached = { filename: 'a.txt', media_type: 'text/plain', size: 1, sha256: '', bytes }
  await add('draft_file', { mailbox_id: rosaMailbox, draft_id: id, id, ...attached })
  await add('kept_form', { id_hash: bytes, party_id: rosa, content_sealed: bytes, expires_at: at })
  const sent = { reference: 'one', content_digest: bytes, thread_id: letter, accepted_at: at }
  await add('folder', { mailbox_id: rosaMailbox, id, name: 'Tax' })
  await add('filing', { mailbox_id: rosaMailbox, id, by_id: rosa, at, what: 'flag', letters: owner.json([]) })
  await add('ledger', { sender_id: tax, message_id: letter, mailbox_id: rosaMailbox, ...sent })
  await add('ledger', { sender_id: rosa, message_id: written, mailbox_id: councilMailbox, ...sent })
  const withheld = { why: 'scheduled', release_at: at, letter: owner.json({}) }
  await add('withheld_message', { sender_id: tax, message_id: newId(), mailbox_id: rosaMailbox, service_id: tax, ...withheld })
  await add('event', { sender_id: tax, type: 'message.accepted', message_id: letter, reference: 'one', at })
  const batch = { sender_id: tax, batch_id: id }
  const by_name = { created_by_name: 'Staff', changed_by_name: 'Staff' }
  await add('batch', {
    sender_id: tax,
    id,
    reference: 'one',
    name: 'One',
    lane: 'bulk',
    created_at: at,
    changed_at: at,
    ...by_name,
  })
  await add('batch_count', { ...batch, part: 1, accepted: 1 })
  await add('batch_error', { ...batch, line: 1, code: 'not-json', at })
  const decided = { decided_at: at, decided_by_name: 'Staff', doer: owner.json({}) }
  await add('batch_decision', { ...batch, decision: 'release', ...decided })
  await add('sent_count', { sender_id: tax, day: at, letters: 1 })
  const version = { template_id: id, version: 1 }
  await add('letter_template', { sender_id: tax, id, version: 1 })
  const template = { name: 'Bill', category: 'general', reply_allowed: false, recipient_only: false, content: owner.json([]) }
  await add('letter_template_version', { sender_id: tax, ...version, ...template, saved_at: at, saved_by_name: 'Staff' })
  const made = { name: 'Bills', template_id: id, template_version: 1, created_at: at, created_by_name: 'Staff' }
  await add('mailing', { sender_id: tax, id, ...made })
  const staged = { staged_at: at, staged_by_name: 'Staff', staged_by: owner.json({}) }
  await add('mailing_file', { sender_id: tax, id, mailing_id: id, scheme: 'link', several_allowed: false, ...staged })
  const identifier = { scheme: 'link', identifier_hash: bytes, identifier_sealed: bytes }
  await add('mailing_row', { sender_id: tax, file_id: id, row: 2, ...identifier, cells: [] })
  await add('mailing_error', { sender_id: tax, file_id: id, row: 2, ordinal: 0, fault: owner.json({ code: 'empty' }) })
  await add('upload', {
    sender_id: tax,
    id: ids.upload,
    media_type: 'application/pdf',
    size: 1,
    received: 1,
    sha256: 'x',
    expires_at: at,
  })
  await add('upload_chunk', { sender_id: tax, upload_id: ids.upload, starts_at: 0, bytes })
  await add('evidence_seal', { position: 1, event_id: id, size: 256, ordinal: 1, sender_leaf: 0 })
  await add('evidence_jws', { first_leaf: 0, key_id: '', signature: bytes })
  await add('log_tile', { level: 0, index: 0, bytes })
  await add('log_entries', { index: 0, bytes })
  await add('log_checkpoint', { size: 256, size_before: 0, at, root: bytes, note: '', batch: '' })
  await add('log_state', { origin: 'log', xid: 0, cluster: '1' })
  await add('stand_in_memory', { name: 'witness', value: owner.json({}) })
  await add('outage', { id, began_at: at, ended_at: at, why: 'Because' })
  const organisation_id = council
  const services = { organisation_id, service_ids: [tax] }
  await add('staff_member', { id: staff, organisation_id, subject: 'staff', name: 'Staff' })
  await add('staff_role', { staff_id: staff, service_id: tax, role: 'post-reader' })
  await add('staff_change', { id, at, what: 'added', staff_id: staff, staff_name: 'Staff', by_name: 'Staff', ...services })
  await add('client', { id: 'system', name: 'System', scopes: [], ...services })
  const key = { jwk: owner.json({}), added_at: at, added_by_name: 'Staff' }
  await add('client_key', { client_id: 'system', thumbprint: 'x', organisation_id, ...key })
  const change = { id, at, what: 'registered', client_id: 'system', client_name: 'System', by_name: 'Staff' }
  await add('client_change', { ...change, ...services })
  const approval = { kind: 'client', what: owner.json({}), asked_by: staff, asked_at: at, expires_at: at }
  await add('approval', { id, ...services, ...approval })
  const changed = { created_at: at, changed_at: at, changed_by_name: 'Staff' }
  await add('search_state', { mailbox_id: rosaMailbox, version: 1 })
  await add('search_letter', { mailbox_id: rosaMailbox, number: 1, message_id: letter })
  await add('search_word', { mailbox_id: rosaMailbox, word: 'letter', letters: bytes })
  await add('document_text', { mailbox_id: rosaMailbox, file_id: id, message_id: letter })
  await add('saved_search', { party_id: rosa, id, name: 'Letters', asked: owner.json({}), created_at: at })
  await add('webhook', { service_id: tax, url: 'https://tax.example/', secret_sealed: bytes, position: 0, ...changed })
  await add('webhook_delivery', { service_id: tax, position: 1, event_id: id, message_id: letter, due_at: at })
  await add('recipient_change', { service_id: tax, at, scheme: 'link', value_sealed: bytes, status: 'registered' })
  await add('known_identifier', { service_id: tax, scheme: 'nino', value_hash: bytes })
  await add('lookup_allowance', { service_id: tax, left_over: 1, at, day: at, used_that_day: 1 })
  await add('lookup_log', { service_id: tax, id, at, client_id: 'system', count: 1, found: 1 })
  await add('record_search', { id, registrar_id: registrar, at, searched_by: 'person', reason: 'Why', party_ids: [rosa] })
  await add('record_view', { id, registrar_id: registrar, party_id: rosa, at, reason: 'Why' })
  const merge = { from_party_id: rosa, into_party_id: carol, name: 'Rosa', asked_by_id: registrar, asked_at: at, reason: 'Why' }
  await add('merge_request', { id, ...merge })
  const place = { organisation_id, slug: 'place', name: owner.json({}), changed_at: at, changed_by_name: 'Staff' }
  await add('contact_group', { id, ...place })
  await add('contact_point', { id, service_id: tax, audience: ['person'], ...place })
}

describe('what row-level security lets each scope do with each table', () => {
  let test_: TestDatabase
  /** One that says nothing of whose the row is. */
  const lastColumns = new Map<string, string>()
  before(async () => {
    test_ = await createTestDatabase()
    await fill(test_.owner)
    const columns = await test_.owner<{ tableName: string; columnName: string }[]>`
      select table_name, column_name from information_schema.columns where table_schema = 'public' and is_generated = 'NEVER' order by ordinal_position`
    for (const { tableName, columnName } of columns) lastColumns.set(tableName, columnName)
  })
  after(() => test_.drop())

  /** The one row, where the table has others. A condition reads, and only what a scope can see can be met by it. */
  const only: Record<string, (db: Database) => Fragment> = {
    party: (db) => db`where id = ${ids.rosa}`,
    mailbox: (db) => db`where id = ${ids.rosaMailbox}`,
    message: (db) => db`where id = ${ids.letter}`,
    ledger: (db) => db`where message_id = ${ids.letter}`,
  }

  /** Nothing is ever changed: that no row may be without a value, or is needed by another, is found out when it is allowed to go. */
  const changes = async (scope: Scope, statement: Fragment): Promise<boolean> => {
    const undone = new Error('undone')
    let count = 0
    try {
      await within(test_.database, scope, async (sql) => {
        count = (await sql`${statement}`).count
        throw undone
      })
    } catch (error) {
      const { code = '' } = error as { code?: string }
      if (code.startsWith('23')) return true
      if (error !== undone) throw error
    }
    return count > 0
  }
  const reachOf = async (table: string, scope: Scope): Promise<string> => {
    const { database: db } = test_
    const which = only[table]?.(db) ?? db``
    const seen = await readWithin(db, scope, db`select from ${db(table)} ${which}`)
    const isUpdated = await changes(scope, db`update ${db(table)} set ${db(lastColumns.get(table)!)} = null ${which}`)
    const isDeleted = await changes(scope, db`delete from ${db(table)} ${which}`)
    return `${seen.length > 0 ? 'r' : ''}${isUpdated ? 'u' : ''}${isDeleted ? 'd' : ''}`
  }

  for (const [table, expected] of Object.entries(reach)) {
    test(`${table}: to nobody but those who are named`, async () => {
      const found = await Promise.all(
        Object.entries(scopes).map(async ([asker, scope]) => [asker, await reachOf(table, scope)] as const),
      )
      assert.deepEqual(Object.fromEntries(found.filter(([, letters]) => letters !== '')), expected)
    })
  }

  for (const [table, changers] of Object.entries(directory)) {
    test(`${table}: everybody reads it, and ${changers.join(', ')} may change it`, async () => {
      for (const [asker, scope] of Object.entries(scopes)) {
        assert.equal(await reachOf(table, scope), changers.includes(asker as Asker) ? 'rud' : 'r', asker)
      }
    })
  }

  test('is said above for every table', async () => {
    assert.deepEqual([...lastColumns.keys()].sort(), [...Object.keys(reach), ...Object.keys(directory), 'migration'].sort())
  })

  test('what is a person’s own is theirs alone: nobody reaches it by having their mailbox open', async () => {
    for (const [table, expected] of Object.entries({ session: 'rd', preference: 'rud', contact_detail: 'rud', outgoing: 'r' })) {
      assert.equal(await reachOf(table, { party: ids.rosa }), expected, table)
      assert.equal(await reachOf(table, { party: ids.carol }), '', table)
    }
  })

  test('a helper sees of the post what the limits let through, and no look at any other', async () => {
    const helper = (limits: Partial<Scope>): Scope => ({ ...scopes.rosa, isHelper: true, ...limits })
    const cases: [Partial<Scope>, string][] = [
      [{}, 'r'],
      [{ services: [ids.tax] }, 'r'],
      [{ services: [ids.parking] }, ''],
      [{ services: [] }, ''],
      [{ categories: ['general'] }, 'r'],
      [{ categories: ['bills'] }, ''],
    ]
    const tables = ['message', 'file', 'look', 'document_text']
    for (const [limits, expected] of cases) {
      for (const table of tables)
        assert.equal((await reachOf(table, helper(limits))).replace('u', ''), expected, JSON.stringify(limits))
    }
    await test_.owner`update message set recipient_only = true where id = ${ids.letter}`
    for (const table of tables) {
      assert.equal((await reachOf(table, helper({}))).replace('u', ''), '', `${table}, for the recipient only`)
      assert.match(await reachOf(table, scopes.rosa), /^r/, `${table}, to the recipient`)
    }
    await test_.owner`update message set recipient_only = false where id = ${ids.letter}`
  })

  test('the bytes of an upload are for whoever may see a letter that has it, in the mailbox where it lies, and for nobody else', async () => {
    const { rosa, helper, arthur, agency, parking, tax, delivery, upkeep } = scopes
    const inRosas = (scope: Scope): Scope => ({ ...scope, fileIn: ids.rosaMailbox })
    const askers: Scope[] = [rosa, helper, arthur, agency, parking, delivery, upkeep]
    for (const scope of askers) assert.equal(await reachOf('upload_chunk', inRosas(scope)), '', 'no letter has it yet')
    await test_.owner`
      insert into file (mailbox_id, id, message_id, upload_sender_id, upload_id)
      values (${ids.rosaMailbox}, ${newId()}, ${ids.letter}, ${ids.tax}, ${ids.upload})`
    const found = await Promise.all([...askers, tax].map((scope) => reachOf('upload_chunk', inRosas(scope))))
    assert.deepEqual(found, ['r', '', '', '', '', '', '', 'rud'])
    assert.equal(await reachOf('upload_chunk', { ...arthur, fileIn: arthur.mailbox }), '')
    assert.equal(await reachOf('upload_chunk', { fileIn: ids.rosaMailbox }), '')
    assert.equal(await reachOf('upload', inRosas(rosa)), '', 'what its sender said of it')
    await test_.owner`delete from file where upload_id is not null`
  })

  test('who works for a firm sees what it holds now, and nothing that it has given or held before', async () => {
    const { colleague } = scopes
    const { owner } = test_
    const update = (change: Record<string, unknown>) => owner`update access_grant set ${owner(change)} where id = ${ids.grant}`
    assert.equal(await reachOf('access_grant', colleague), 'r')
    assert.equal(await reachOf('access_grant', { ...colleague, firms: [ids.carol] }), '')
    assert.equal(await reachOf('access_grant', { ...colleague, firms: [] }), '')
    await update({ ended_at: new Date('2026-11-23T11:00:00Z') })
    assert.equal(await reachOf('access_grant', colleague), '', 'one that has ended')
    await update({ ended_at: null, holder_is_business: false })
    assert.equal(await reachOf('access_grant', colleague), '', 'one that is no firm’s')
    await update({ holder_is_business: true, giver_id: ids.firm, holder_id: ids.carol })
    assert.equal(await reachOf('access_grant', colleague), '', 'one that the firm has given')
    await update({ giver_id: ids.rosa, holder_id: ids.firm })
  })
})

import type { Actor } from '../src/access/actor.ts'
import { rightsOf } from '../src/access/rights.ts'
import { readConfig } from '../src/config.ts'
import type { Database } from '../src/database/connect.ts'
import { readWithin } from '../src/database/scope.ts'
import { listInbox } from '../src/mailbox/list.ts'
import { deriveSessionKeys, startSession } from '../src/sign-in/session.ts'

/**
 * Rosa of the demo world, signed in without the way through One Login, and the newest letter that she has. `database` is a pool of
 * the program's, or of whoever owns the tables.
 */
export async function signInRosa(database: Database): Promise<{ cookie: string; actor: Actor; letterId: string }> {
  const [rosa] = await readWithin<{ partyId: string; mailboxId: string; subject: string }>(
    database,
    { purpose: 'sign-in' },
    database`
      select party.id as party_id, mailbox.id as mailbox_id, one_login_subject.subject
      from party join mailbox on mailbox.party_id = party.id join one_login_subject on one_login_subject.party_id = party.id
      where party.name = 'Rosa Example'`,
  )
  const { partyId, mailboxId, subject } = rosa!
  const actor: Actor = {
    partyId,
    mailboxId,
    isOrganisation: false,
    rights: rightsOf('owner'),
    categories: undefined,
    by: { kind: 'owner', id: partyId, name: 'Rosa Example' },
    door: 'citizen-pages',
    requestId: 'test',
  }
  const cookie = await signInAs(database, partyId, subject)
  const { letters } = await listInbox(database, actor, 1)
  return { cookie, actor, letterId: letters[0]!.id }
}

/** A session of a person, as its cookie. */
export async function signInAs(database: Database, partyId: string, subject: string): Promise<string> {
  const keys = deriveSessionKeys(readConfig({ DEMO: 'true' }).secretKey)
  const session = { owner: { partyId }, subject, idToken: 'none', replaces: undefined }
  return `digital-post=${await startSession(database, keys, session, new Date())}`
}

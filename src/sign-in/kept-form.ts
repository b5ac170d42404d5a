import { createHash, randomBytes } from 'node:crypto'
import type { Db } from '../database/connect.ts'
import { within } from '../database/scope.ts'
import { deriveKey, seal, unseal } from '../seal.ts'

export function deriveKeptFormKey(secretKey: Buffer): Buffer {
  return deriveKey(secretKey, 'kept form')
}

/** Whose form it is: of whom, and of which mailbox that was open. */
export type FormOwner = { personId: string; mailboxId: string; grantId?: string | undefined; viaGrantId?: string | undefined }
export type KeptForm = { owner: FormOwner; address: string; fields: [name: string, value: string][] }

/** How long what was typed is kept, once the session has ended; and how old the form may be. */
export const keptMinutes = 60
const formHours = 24

/** Stands in a form, so that it can be told whose it is when nobody is signed in any more. Says nothing to who reads it. */
export function sealFormOwner(key: Buffer, owner: FormOwner, now: Date): string {
  return seal(key, 'form owner', JSON.stringify({ owner, at: now.getTime() })).toString('base64url')
}

/** Undefined where it is not ours, or a day old. */
export function openFormOwner(key: Buffer, sealed: string, now: Date): FormOwner | undefined {
  try {
    const { owner, at } = JSON.parse(unseal(key, 'form owner', Buffer.from(sealed, 'base64url')))
    return now.getTime() - at < formHours * 3_600_000 ? owner : undefined
  } catch {
    return undefined
  }
}

/** Keeps what was typed for its writer alone. Answers what a cookie has to hold to find it again. */
export async function keepForm(db: Db, key: Buffer, form: KeptForm, now: Date): Promise<string> {
  const token = randomBytes(32).toString('base64url')
  const id = hashOf(token)
  const party = form.owner.personId
  await within(db, { party }, async (sql) => {
    // One is enough for whoever it is, and a form that is sent again and again fills nothing.
    await sql`delete from kept_form where party_id = ${party}`
    await sql`
      insert into kept_form (id_hash, party_id, content_sealed, expires_at)
      values (${id}, ${party}, ${seal(key, id, JSON.stringify(form))}, ${new Date(now.getTime() + keptMinutes * 60_000)})`
  })
  return token
}

/** What was kept for this person, if it is theirs. It stays until it is forgotten. */
export async function readKeptForm(
  db: Db,
  key: Buffer,
  { token, personId }: { token: string; personId: string },
  now: Date,
): Promise<KeptForm | undefined> {
  const id = hashOf(token)
  const [row] = await within(
    db,
    { party: personId },
    (sql) => sql<{ contentSealed: Buffer }[]>`
      select content_sealed from kept_form where id_hash = ${id} and party_id = ${personId} and expires_at > ${now}`,
  )
  return row && JSON.parse(unseal(key, id, row.contentSealed))
}

export async function forgetKeptForm(db: Db, { token, personId }: { token: string; personId: string }): Promise<void> {
  await within(db, { party: personId }, (sql) => sql`delete from kept_form where id_hash = ${hashOf(token)}`)
}

/** For a job. */
export async function deleteExpiredForms(db: Db, now: Date): Promise<void> {
  await within(db, { purpose: 'upkeep' }, (sql) => sql`delete from kept_form where expires_at <= ${now}`)
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

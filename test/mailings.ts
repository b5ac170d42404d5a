import { v7 as newId } from 'uuid'
import type { Actor } from '../src/access/actor.ts'
import { createMailing } from '../src/delivery/create-mailing.ts'
import { saveTemplate } from '../src/delivery/save-template.ts'
import { stageFile } from '../src/delivery/stage-file.ts'
import type { Template } from '../src/delivery/template.ts'
import type { Post } from './post.ts'

export const limits = { lookups: { perMinute: 60_000, perDay: 1_000_000 }, letters: { perSecond: 10_000, perDay: 1_000_000 } }

export const bill: Template = {
  name: 'Bill',
  category: 'general',
  replyAllowed: false,
  recipientOnly: false,
  content: [{ language: 'en', subject: 'Your bill, ((first name))', body: 'Dear ((first name)),\n\nyou owe £((amount)).' }],
}

/** A mailing of the bill, without a file. */
export async function makeMailing({ db, serviceId }: Pick<Post, 'db' | 'serviceId'>, actor: Actor, now: Date): Promise<string> {
  const [templateId, id] = [newId(), newId()]
  await saveTemplate(db, actor, { serviceId, id: templateId, version: 0, template: bill }, now)
  await createMailing(db, actor, { id, name: 'Bills', templateId }, now)
  return id
}

/** A file for it, of these rows. */
export const billsFor = (rows: readonly string[]) => `identifier,first name,amount\n${rows.join('\n')}\n`

export async function stage(
  { db, keys }: Pick<Post, 'db' | 'keys'>,
  actor: Actor,
  id: string,
  csv: string,
  now: Date,
  severalAllowed = false,
): Promise<void> {
  async function* bytes() {
    yield Buffer.from(csv)
  }
  await stageFile(db, keys, actor, id, { scheme: 'link', severalAllowed, bytes: bytes() }, now)
}

import type { Database } from '../database/connect.ts'
import { within } from '../database/scope.ts'
import { timeStampMemory } from './attestors.ts'

/** What an authority signs with: a key and its certificate, both in PEM. */
export type StampingKeys = { privateKeyPem: string; certificatePem: string }

/** A time-stamp authority for demo and tests, as it is made outside the program (demo/time-stamp-authority.ts). */
export type AuthorityInDemo = {
  make: (now: Date) => Promise<StampingKeys>
  answer: (keys: StampingKeys, request: Uint8Array, now: Date) => Promise<Uint8Array>
}

/** Answers a request. Key and certificate are made with the first, by one process only, and are the same ever after. */
export async function answerAsAuthority(
  db: Database,
  { make, answer }: AuthorityInDemo,
  request: Uint8Array,
  now: Date,
): Promise<Uint8Array> {
  return answer((await findKeys(db)) ?? (await makeKeys(db, make, now)), request, now)
}

async function findKeys(db: Database): Promise<StampingKeys | undefined> {
  return within(db, { purpose: 'evidence' }, async (sql) => {
    const [row] = await sql<{ value: StampingKeys }[]>`select value from stand_in_memory where name = ${timeStampMemory}`
    return row?.value
  })
}

async function makeKeys(db: Database, make: AuthorityInDemo['make'], now: Date): Promise<StampingKeys> {
  const made = await make(now)
  await within(db, { purpose: 'evidence' }, async (sql) => {
    // Whoever comes second waits for the first here, and takes what that has written.
    await sql`insert into stand_in_memory (name, value) values (${timeStampMemory}, ${sql.json(made)}) on conflict do nothing`
  })
  return (await findKeys(db))!
}

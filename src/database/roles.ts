import { runMigrations } from 'graphile-worker'
import { deriveKey } from '../seal.ts'
import { connect, type Database } from './connect.ts'

/** As what the program logs in to PostgreSQL: name and password. */
export type Login = { user: string; password: string }

/**
 * Two roles that own nothing of ours: one for requests and jobs, which row-level security binds, and one that owns the tables
 * of graphile-worker and sees none of ours. Names and passwords come from the secret key, so that nobody has to keep them, and
 * two installations on one server have roles of their own.
 */
export function deriveLogins(secretKey: Buffer): { program: Login; worker: Login } {
  const login = (duty: string): Login => {
    const key = deriveKey(secretKey, `database role ${duty}`).toString('hex')
    return { user: `digital_post_${duty}_${key.slice(0, 8)}`, password: key.slice(8) }
  }
  return { program: login('program'), worker: login('worker') }
}

/** The address of the same database, for somebody else. */
export function addressFor(url: string, { user, password }: Login): string {
  const address = new URL(url)
  address.username = user
  address.password = password
  return address.href
}

/**
 * Makes the roles where they cannot log in yet, after `migrate`. `owner` is who owns the tables, and may make roles. Two at
 * once wait for each other.
 */
export async function bringRoles(
  owner: Database,
  url: string,
  { program, worker }: { program: Login; worker: Login },
): Promise<void> {
  const known = await Promise.all([program, worker].map((login) => canLogIn(addressFor(url, login))))
  await owner.begin(async (sql) => {
    await sql`select pg_advisory_xact_lock(hashtext('digital-post roles'))`
    for (const [index, { user, password }] of [program, worker].entries()) {
      if (known[index]) continue
      const [made] = await sql`select from pg_roles where rolname = ${user}`
      // What a role is not, a new one is not anyway; and only a superuser may say so of one that exists.
      await sql.unsafe(`${made === undefined ? 'create' : 'alter'} role "${user}" login password '${password}'`)
    }
    const [{ database }] = (await sql`select current_database() as database`) as unknown as [{ database: string }]
    const role = sql(program.user)
    await sql`grant usage on schema public to ${role}`
    await sql`grant select, insert, update, delete on all tables in schema public to ${role}`
    await sql`grant usage, select on all sequences in schema public to ${role}`
    await sql`revoke insert, update, delete on migration from ${role}`
    await sql`grant connect on database ${sql(database)} to ${sql(program.user)}, ${sql(worker.user)}`
    const [schema] = await sql`select from pg_namespace where nspname = 'graphile_worker'`
    if (schema === undefined) {
      // Who gives a schema away must be of the role that gets it.
      await sql`grant ${sql(worker.user)} to current_user`
      await sql`create schema graphile_worker authorization ${sql(worker.user)}`
    }
  })
  await bringJobTables(owner, url, worker)
}

async function canLogIn(url: string): Promise<boolean> {
  const connection = connect(url, 1)
  try {
    await connection`select 1`
    return true
  } catch {
    return false
  } finally {
    await connection.end({ timeout: 1 })
  }
}

/** graphile-worker makes its tables itself, as their owner. Its first statement asks for more than it needs: for as long as it runs. */
async function bringJobTables(owner: Database, url: string, worker: Login): Promise<void> {
  const [made] = await owner`select from pg_tables where schemaname = 'graphile_worker' and tablename = 'migrations'`
  const [{ database }] = (await owner`select current_database() as database`) as unknown as [{ database: string }]
  if (made === undefined) await owner`grant create on database ${owner(database)} to ${owner(worker.user)}`
  try {
    await runMigrations({ connectionString: addressFor(url, worker) })
  } finally {
    if (made === undefined) await owner`revoke create on database ${owner(database)} from ${owner(worker.user)}`
  }
}

/** A pool as the owner of the tables, who sees nothing but for upkeep. */
export function connectOwner(url: string, connections: number): Database {
  // What it is for may take long: migrations, an audit.
  return connect(url, connections, { 'post.purpose': 'owner' }, 0)
}

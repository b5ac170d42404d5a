import type { Actor } from '../src/access/actor.ts'
import { rightsOf } from '../src/access/rights.ts'
import type { Database } from '../src/database/connect.ts'
import { hashIdentifier, type IdentifierKeys, sealIdentifier } from '../src/registry/identifier.ts'

const partiesAtOnce = 10_000

/** By which council tax knows the parties of the large world: LW-0 and on. */
export function linkOf(number: number): { scheme: string; value: string } {
  return { scheme: 'link', value: `LW-${number}` }
}

type World = { parties: number; letters: number }

/**
 * Fills in, beside the demo world, so many people whom council tax knows, and letters to them over the last two years, evenly:
 * what the tables of a town look like. `already` is what was filled in before, to whom nothing more is written. `owner` passes over row-level security; the letters go around `accept`, as a
 * million of them would take minutes. They have no events: those would be put into the log while something else is measured,
 * for many minutes more, and so an audit of this world names each letter (test/load-letters.ts makes letters with evidence).
 */
export async function fillLargeWorld(
  owner: Database,
  keys: IdentifierKeys,
  { parties, letters }: World,
  already: World = { parties: 0, letters: 0 },
): Promise<{ serviceId: string; readers: Actor[]; letterIds: string[] }> {
  const [service] = await owner<
    { id: string; organisationId: string }[]
  >`select id, organisation_id from service where slug = 'council-tax'`
  const { id: serviceId, organisationId } = service!
  await addPeople(owner, keys, serviceId, { parties, already: already.parties })
  await addLetters(owner, { serviceId, organisationId, parties, letters, already })
  return { serviceId, ...(await pickReaders(owner)) }
}

async function addPeople(
  owner: Database,
  keys: IdentifierKeys,
  serviceId: string,
  { parties, already }: { parties: number; already: number },
): Promise<void> {
  for (let first = already; first < parties; first += partiesAtOnce) {
    const numbers = Array.from({ length: Math.min(partiesAtOnce, parties - first) }, (_, index) => first + index)
    const hashes = numbers.map((number) => hashIdentifier(keys, serviceId, linkOf(number)).toString('hex'))
    const sealed = numbers.map((number) => sealIdentifier(keys, serviceId, linkOf(number).value).toString('hex'))
    await owner`
      with somebody as (
        select uuidv7() as party_id, uuidv7() as mailbox_id, number, value_hash, value_sealed
        from unnest(${numbers}::integer[], ${hashes}::text[], ${sealed}::text[]) as given (number, value_hash, value_sealed)
      ),
      parties as (
        insert into party (id, kind, name, birth_date)
        select party_id, 'person', 'Person ' || number, date '1940-01-01' + number % 25000 from somebody
      ),
      mailboxes as (insert into mailbox (id, party_id) select mailbox_id, party_id from somebody)
      insert into link (service_id, scheme, value_hash, value_sealed, party_id)
      select ${serviceId}, 'link', decode(value_hash, 'hex'), decode(value_sealed, 'hex'), party_id from somebody`
  }
}

type Letters = World & { serviceId: string; organisationId: string; already: World }

async function addLetters(owner: Database, { serviceId, organisationId, parties, letters, already }: Letters): Promise<void> {
  await owner`set enable_seqscan = on`
  await owner`set enable_hashjoin = on`
  await owner`set statement_timeout = 0`
  await owner`
    create temporary table if not exists letter_text as
    select number, jsonb_build_array(jsonb_build_object('language', 'en', 'subject', 'Your council tax bill', 'body', (
      select string_agg(md5(number || ' ' || word), ' ') from generate_series(1, 51) as word
    ))) as content
    from generate_series(0, 999) as number`
  await owner`
    with addressed as materialized (
      select mailbox.id as mailbox_id, row_number() over (order by mailbox.id) - 1 as number from mailbox join party on party.id = mailbox.party_id
      where party.name like 'Person %'
    ),
    letter as materialized (
      select mailbox_id, uuidv7(-make_interval(secs => (${letters}::float8 - n) * 63072000 / ${letters})) as id, n
      from generate_series(${already.letters}::integer, ${letters - 1}::integer) as n
      join addressed on addressed.number = ${already.parties}::integer + n % ${parties - already.parties}::integer
    ),
    noted as (
      insert into ledger (sender_id, reference, message_id, content_digest, mailbox_id, thread_id, accepted_at, available_at, opened_at)
      select ${serviceId}, 'large ' || n, id, sha256(convert_to(id::text, 'UTF8')), mailbox_id, id, uuid_extract_timestamp(id), uuid_extract_timestamp(id),
             case when n % 4 > 0 then uuid_extract_timestamp(id) end
      from letter
    )
    insert into message (mailbox_id, id, thread_id, sender_id, sender_party_id, service_id, sender_name, service_name, subject, content,
                         documents, reply_allowed, door, available_at, opened_at)
    select mailbox_id, id, id, ${serviceId}, ${organisationId}, ${serviceId}, 'Northfold Council', 'Council tax', 'Your council tax bill', content,
           '[]', true, 'demo', uuid_extract_timestamp(id), case when n % 4 > 0 then uuid_extract_timestamp(id) end
    from letter join letter_text on letter_text.number = n % 1000`
  await owner`vacuum analyze`
  // Else the disk is still busy with it while something is measured.
  await owner`checkpoint`
  await owner`reset all`
}

/** Some letters that were opened, and who has them. */
async function pickReaders(owner: Database): Promise<{ readers: Actor[]; letterIds: string[] }> {
  await owner`set enable_seqscan = on`
  await owner`set statement_timeout = 0`
  const some = await owner<{ partyId: string; mailboxId: string; id: string }[]>`
    select mailbox.party_id, mailbox_id, message.id
    from message tablesample system (0.2) join mailbox on mailbox.id = message.mailbox_id
    where message.opened_at is not null`
  await owner`reset all`
  const readers = some.map(
    ({ partyId, mailboxId }): Actor => ({
      partyId,
      mailboxId,
      isOrganisation: false,
      rights: rightsOf('owner'),
      categories: undefined,
      by: { kind: 'owner', id: partyId, name: '' },
      door: 'citizen-pages',
      requestId: 'bench',
    }),
  )
  return { readers, letterIds: some.map(({ id }) => id) }
}

import { v7 as newId } from 'uuid'
import type { Actor } from '../src/access/actor.ts'
import { rightsOf } from '../src/access/rights.ts'
import { readConfig } from '../src/config.ts'
import { connect, type Database } from '../src/database/connect.ts'
import { addressFor, connectOwner, deriveLogins } from '../src/database/roles.ts'
import { indexLetters } from '../src/mailbox/index-letters.ts'
import { searchMailboxes } from '../src/mailbox/search-mailboxes.ts'
import { parseQuery } from '../src/mailbox/search-query.ts'
import { measure, print, printHead } from './measure.ts'

const mailboxes = 20
const lettersEach = 10_000

/** Syllables make words that are as many, and as unevenly used, as those of a language. */
const syllables = 'ba ce di fo gu ha je ki lo mu na pe ri so tu va we xi yo zu bran clen drin fross'.split(' ')
function word(rank: number): string {
  let [left, made] = [rank, '']
  do {
    made += syllables[left % syllables.length]
    left = Math.floor(left / syllables.length)
  } while (left > 0)
  return made
}
const vocabulary = 20_000
/** The often used ones often: by Zipf's law, roughly. */
const anyWord = () => word(Math.floor(vocabulary ** Math.random()))
const text = (words: number) => Array.from({ length: words }, anyWord).join(' ')

const texts = 2_000

/** Letters over ten years to mailboxes of their own, of forty services, each with a reference of its own. */
export async function fill(owner: Database, mailboxes: number): Promise<Actor[]> {
  await owner`set enable_seqscan = on`
  await owner`set enable_hashjoin = on`
  await owner`set statement_timeout = 0`
  await owner`create temporary table letter_text (number integer primary key, subject text, body text)`
  const rows = Array.from({ length: texts }, (_, number) => ({ number, subject: text(6), body: text(200) }))
  await owner`insert into letter_text ${owner(rows)}`
  await owner`
    create temporary table sending as
    select number, uuidv7() as id, 'Service ' || number as name, 'Council of ' || split_part(body, ' ', 1) as sender from letter_text where number < 40`
  const actors = Array.from({ length: mailboxes }, (): Actor => {
    const [partyId, mailboxId] = [newId(), newId()]
    const by = { kind: 'owner', id: partyId, name: 'Searcher' } as const
    const post = { rights: rightsOf('owner'), categories: undefined, isOrganisation: false }
    return { partyId, mailboxId, ...post, by, door: 'citizen-pages', requestId: 'bench' }
  })
  for (const [index, { partyId, mailboxId }] of actors.entries()) {
    await owner`insert into party (id, kind, name) values (${partyId}, 'person', 'Searcher')`
    await owner`insert into mailbox (id, party_id) values (${mailboxId}, ${partyId})`
    await owner`
      with letter as materialized (
        select n, uuidv7(-make_interval(hours => (${lettersEach}::integer - n) * 8)) as id, (n * 7 + ${index}::integer * 13) % ${texts}::integer as place
        from generate_series(1, ${lettersEach}::integer) as n
      )
      insert into message (mailbox_id, id, thread_id, sender_id, sender_party_id, service_id, sender_name, service_name, subject, content,
                           documents, reply_allowed, door, available_at, opened_at)
      select ${mailboxId}, letter.id, letter.id, sending.id, sending.id, sending.id, sending.sender, sending.name, subject,
             jsonb_build_array(jsonb_build_object(
               'language', 'en', 'subject', subject, 'body', body || '. Reference QZ-' || ${index}::integer || '-' || n || '.'
             )), '[]', true, 'demo', uuid_extract_timestamp(letter.id), case when n % 4 > 0 then uuid_extract_timestamp(letter.id) end
      from letter join letter_text on letter_text.number = place join sending on sending.number = n % 40`
  }
  await owner`vacuum analyze`
  await owner`reset all`
  return actors
}

/** As many letters again that one of them has sent, to a public body. */
async function fillSent(owner: Database, { partyId }: Actor): Promise<void> {
  await owner`set statement_timeout = 0`
  const [bodyId, bodyMailboxId] = [newId(), newId()]
  await owner`insert into party (id, kind, name) values (${bodyId}, 'public-body', 'Council of letters')`
  await owner`insert into mailbox (id, party_id) values (${bodyMailboxId}, ${bodyId})`
  const rows = Array.from({ length: texts }, (_, number) => ({ number, subject: text(6), body: text(200) }))
  await owner`create temporary table sent_text (number integer primary key, subject text, body text)`
  await owner`insert into sent_text ${owner(rows)}`
  await owner`
    with letter as materialized (
      select n, uuidv7(-make_interval(hours => (${lettersEach}::integer - n) * 8)) as id from generate_series(1, ${lettersEach}::integer) as n
    ), written as (
      insert into ledger (sender_id, reference, message_id, content_digest, mailbox_id, thread_id, accepted_at, available_at, recipient_name)
      select ${partyId}, id::text, id, '', ${bodyMailboxId}, id, uuid_extract_timestamp(id), uuid_extract_timestamp(id), 'Council of letters' from letter
    )
    insert into message (mailbox_id, id, thread_id, sender_id, sender_party_id, service_id, sender_name, service_name, subject, content,
                         documents, reply_allowed, door, available_at)
    select ${bodyMailboxId}, letter.id, letter.id, ${partyId}, ${partyId}, ${bodyId}, 'Searcher', 'Letters', subject,
           jsonb_build_array(jsonb_build_object(
             'language', 'en', 'subject', subject, 'body', body || '. Reference QZ-0-' || n || '.'
           )), '[]', true, 'demo', uuid_extract_timestamp(letter.id)
    from letter join sent_text on sent_text.number = n % ${texts}::integer`
  await owner`vacuum analyze`
}

/** One of what people search for: two words, the beginning of one, a reference, a misspelt one, with a filter. */
export const asks: (() => { typed: string; isUnread?: boolean; from?: Date; until?: Date })[] = [
  () => ({ typed: `${anyWord()} ${anyWord()}` }),
  () => ({ typed: word(500 + Math.floor(Math.random() * 10_000)) }),
  () => ({ typed: word(500 + Math.floor(Math.random() * 10_000)).slice(0, 5) }),
  () => ({ typed: `QZ-${Math.floor(Math.random() * mailboxes)}-${Math.floor(Math.random() * lettersEach)}` }),
  () => ({ typed: `${word(5_000 + Math.floor(Math.random() * 10_000))}`.replace(/^(.)(.)(.)/, '$1$3$2') }),
  () => ({ typed: anyWord(), isUnread: true }),
  () => ({ typed: anyWord(), from: new Date('2019-03-01T00:00:00Z'), until: new Date('2019-06-01T00:00:00Z') }),
  () => ({ typed: 'council' }),
]

export async function measureSearch(url: string): Promise<void> {
  const owner = connectOwner(url, 1)
  const began = performance.now()
  const actors = await fill(owner, mailboxes)
  const filled = performance.now()
  const program = connect(addressFor(url, deriveLogins(readConfig({ DEMO: 'true' }).secretKey).program), 8)
  for (const actor of actors) while ((await indexLetters(program, actor, 'last')) === 'more');
  const indexed = performance.now()
  await owner`vacuum analyze`
  const [size] = await owner<{ size: string; words: string; letters: string }[]>`
    select pg_size_pretty(pg_total_relation_size('search_word')) as words, pg_size_pretty(pg_total_relation_size('search_letter')) as letters,
      pg_size_pretty(pg_total_relation_size('message')) as size`
  const seconds = (ms: number) => (ms / 1000).toFixed(0)
  console.log(
    `\n${mailboxes} mailboxes of ${lettersEach} letters (filled in ${seconds(filled - began)} s, ${size!.size}; indexed in ${seconds(indexed - filled)} s, ${size!.words} of words, ${size!.letters} of letters)\n`,
  )
  printHead()
  let turn = 0
  const search = (among: () => Actor[]) => async () => {
    const { typed, ...filters } = asks[turn++ % asks.length]!()
    const mine = among().map((actor) => ({ actor }))
    await searchMailboxes(program, mine, { query: parseQuery(typed), filters, page: 1 }, new Date())
  }
  const one = () => [actors[Math.floor(Math.random() * actors.length)]!]
  for (const [index, ask] of process.argv.includes('each') ? asks.entries() : []) {
    const [single, all] = await measure(
      1,
      [one, () => actors].map((among) => async () => {
        const { typed, ...filters } = ask()
        await searchMailboxes(
          program,
          among().map((actor) => ({ actor })),
          { query: parseQuery(typed), filters, page: 1 },
          new Date(),
        )
      }),
    )
    print(`Kind ${index} in one`, single!)
    print(`Kind ${index} in all`, all!)
  }
  const [single, many] = [await measure(1, [search(one)]), await measure(4, [search(one)])]
  print(`Search one mailbox of ${lettersEach} letters, 1 at once`, single[0]!)
  print(`Search one mailbox of ${lettersEach} letters, 4 at once`, many[0]!)
  const [all] = await measure(1, [search(() => actors)])
  print(`Search ${mailboxes} mailboxes of ${lettersEach} letters, 1 at once`, all!)
  await measureSent(owner, program, actors[0]!)
  await Promise.all([owner.end(), program.end()])
}

/** The same where as many letters were sent as came. */
async function measureSent(owner: Database, program: Database, firm: Actor): Promise<void> {
  await fillSent(owner, firm)
  // It is made anew then: in the order of time, as it would have come to be.
  await owner`update search_state set version = 0 where mailbox_id = ${firm.mailboxId}`
  while ((await indexLetters(program, firm, 'last')) === 'more');
  await owner`vacuum analyze`
  let turn = 0
  for (const place of [undefined, 'sent'] as const) {
    const search = async () => {
      const { typed, isUnread: _, ...filters } = asks[turn++ % asks.length]!()
      const asked = { query: parseQuery(typed), filters: { ...filters, place }, page: 1 }
      await searchMailboxes(program, [{ actor: firm }], asked, new Date())
    }
    const [figures] = await measure(1, [search])
    print(`Search ${place ?? 'everywhere'} where ${lettersEach} came and ${lettersEach} were sent, 1 at once`, figures!)
  }
}

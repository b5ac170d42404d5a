import { readConfig } from '../src/config.ts'
import { connect, type Database } from '../src/database/connect.ts'
import { addressFor, connectOwner, deriveLogins } from '../src/database/roles.ts'
import { listFolder } from '../src/mailbox/list.ts'
import { open } from '../src/mailbox/open.ts'
import { searchMailboxes } from '../src/mailbox/search-mailboxes.ts'
import { parseQuery } from '../src/mailbox/search-query.ts'
import { deriveIdentifierKeys } from '../src/registry/identifier.ts'
import { letter } from './bench-letter.ts'
import { fillLargeWorld, linkOf } from './large-world.ts'
import { measure, openRequests, print, printHead } from './measure.ts'
import { takeToken } from './server.ts'
import { signInAs } from './signed-in.ts'

const lettersAtFirst = 100_000
/** So that a mailbox has as many letters whatever the number of all. */
const lettersInMailbox = 10
const searchers = 50
/** Who looks at the pages of their inbox, each by a connection of their own: at most so many. */
const visitorsMax = 200

/** The same work with a hundred thousand letters, a million and so on, each rate beside that of the first: does it become slower as the tables grow? */
export async function measureGrowth(url: string, baseUrl: string, lettersMax: number): Promise<void> {
  const config = readConfig({ DEMO: 'true' })
  const keys = deriveIdentifierKeys(config.secretKey)
  const program = connect(addressFor(url, deriveLogins(config.secretKey).program), 8)
  const owner = connectOwner(url, 1)
  const first: number[] = []
  let already = { parties: 0, letters: 0 }
  for (let letters = lettersAtFirst; letters <= lettersMax; letters *= 10) {
    const world = { parties: letters / lettersInMailbox, letters }
    const began = performance.now()
    const { readers, letterIds } = await fillLargeWorld(owner, keys, world, already)
    already = world
    console.log(
      `\n${letters} letters to ${world.parties} people (filled in in ${((performance.now() - began) / 1000).toFixed(0)} s)\n`,
    )
    const pick = () => Math.floor(Math.random() * readers.length)
    const asked = { query: parseQuery('council'), filters: {}, page: 1 }
    const search = (place: number) => searchMailboxes(program, [{ actor: readers[place]! }], asked, new Date())
    for (let place = 0; place < searchers; place += 1) await search(place)
    // A token of before does not hold for as long as ten million letters take to be filled in.
    const headers = { authorization: `Bearer ${await takeToken({ baseUrl })}`, 'content-type': 'application/json' }
    const accept = openRequests(8, `${baseUrl}/v1/messages`, 'POST', headers, () =>
      JSON.stringify({ ...letter(false), recipient: linkOf(Math.floor(Math.random() * world.parties)) }),
    )
    const inboxes = await Promise.all(
      readers.slice(0, visitorsMax).map(async ({ partyId }) => {
        const cookie = await signInAs(program, partyId, 'bench')
        return openRequests(1, `${baseUrl}/inbox`, 'GET', { cookie })
      }),
    )
    const works: [string, (line: number) => Promise<unknown>][] = [
      ['Accept a letter over HTTP', accept.send],
      // Each of the eight lines has visitors of its own: a connection carries one request at a time.
      [
        'List an inbox, the page',
        (line) => inboxes[line + 8 * Math.floor(Math.random() * Math.floor(inboxes.length / 8))]!.send(0),
      ],
      ['List an inbox, the query alone', () => listFolder(program, readers[pick()]!, { folder: 'inbox' }, new Date())],
      [
        'Open a letter',
        () => {
          const place = pick()
          return open(program, readers[place]!, letterIds[place]!, new Date())
        },
      ],
      ['Search a mailbox that was searched before', () => search(Math.floor(Math.random() * searchers))],
    ]
    printHead()
    for (const [index, [name, work]] of works.entries()) {
      const [figures] = await measure(8, [work])
      first[index] ??= figures!.rate
      print(`${name}, 8 at once`, figures!, first[index])
    }
    accept.close()
    for (const inbox of inboxes) inbox.close()
    await printSizes(owner, letters)
  }
  await Promise.all([program.end(), owner.end()])
}

/** What a letter takes up on the disk, in bytes: in the tables, and in their indexes. */
async function printSizes(owner: Database, letters: number): Promise<void> {
  const sizes = await owner<{ name: string; rows: number; indexes: number }[]>`
    select relname as name, pg_table_size(oid)::float8 as rows, pg_indexes_size(oid)::float8 as indexes
    from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace and relname in ('message', 'ledger') order by relname`
  const bytes = (size: number) => (size / letters).toFixed(0)
  for (const { name, rows, indexes } of sizes)
    console.log(`\n${name}: ${bytes(rows)} bytes a letter, and ${bytes(indexes)} in indexes`)
}

import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { faults } from './faults.ts'
import { type Fault, runFault } from './run.ts'

/**
 * For each fault a program that is broken in one way, which the same test must find: else the fault says nothing. `npm run test:mutants` shows
 * the table; with names of faults, only those. Ends with 1 where one is not found.
 */
type Mutant = { fault: keyof typeof faults; broken: string; edits: readonly Edit[] }
/** In a copy of the program: where `from` is not there exactly once, the mutant is out of date. */
type Edit = { file: string; from: string; to: string }

const write = 'src/delivery/write.ts'
const statement = 'const accepted = await writeWithin<{ messageId: string }>(db, scope, statement)'
const all = 'rows.map(({ message_id }) => ({ messageId: message_id }))'

const commitsLater: Edit = {
  file: 'src/database/connect.ts',
  from: '      ...parameters,\n    },\n    onnotice',
  to: "      ...parameters,\n      synchronous_commit: 'off',\n    },\n    onnotice",
}
const errorIsSuccess: Edit = { file: write, from: statement, to: `${statement}.catch(() => ${all})` }

const mutants: readonly Mutant[] = [
  {
    fault: 'killedPrograms',
    broken: 'The answer goes out before the commit',
    edits: [
      {
        file: write,
        from: statement,
        to: `const late = () => void writeWithin(db, scope, statement).catch(() => {})\n  const accepted = 'begin' in db ? (setTimeout(late, 200), ${all}) : await writeWithin<{ messageId: string }>(db, scope, statement)`,
      },
    ],
  },
  {
    fault: 'killedPrograms',
    broken: 'What is due leaves its waiting place in a transaction after that which delivers it',
    edits: [
      {
        file: 'src/delivery/release.ts',
        from: 'delete from withheld_message as withheld using judged\n      where is_reachable',
        to: 'select from withheld_message as withheld, judged\n      where is_reachable',
      },
      {
        file: 'src/delivery/release.ts',
        from: 'await within(db, scope, async (sql) => releaseThese(sql, due, await findAnswered(sql, due), now))',
        to: `await within(db, scope, async (sql) => releaseThese(sql, due, await findAnswered(sql, due), now))
  await new Promise((resolve) => setTimeout(resolve, 700))
  await within(db, { purpose: 'delivery', senders }, (sql) => sql\`delete from withheld_message where message_id = any(\${due.map(({ messageId }) => messageId)}::uuid[])\`)`,
      },
    ],
  },
  { fault: 'killedDatabase', broken: 'synchronous_commit is off', edits: [commitsLater] },
  { fault: 'restartedDatabase', broken: 'synchronous_commit is off', edits: [commitsLater] },
  {
    fault: 'cutConnections',
    broken: 'A transaction whose connection is gone is rolled back on it',
    edits: [
      {
        file: 'src/database/scope.ts',
        from: "const lost = ['CONNECTION_CLOSED', 'CONNECTION_DESTROYED', '57P01', '57P02']",
        to: 'const lost: string[] = []',
      },
    ],
  },
  {
    fault: 'silentDatabase',
    broken: 'A database that says nothing is waited for without end',
    edits: [{ file: 'src/database/connect.ts', from: 'const silenceTimeoutMs = 20_000', to: 'const silenceTimeoutMs = 0' }],
  },
  { fault: 'fullDisk', broken: 'What the database refuses counts as accepted', edits: [errorIsSuccess] },
  { fault: 'powerCut', broken: 'synchronous_commit is off', edits: [commitsLater] },
  { fault: 'failedSync', broken: 'What the database refuses counts as accepted', edits: [errorIsSuccess] },
  {
    fault: 'clocksApart',
    broken: 'The log takes events when their time has come, by the clock of PostgreSQL',
    edits: [
      {
        file: 'src/evidence/sequence.ts',
        from: 'order by xid, position limit',
        to: 'and at <= clock_timestamp() order by xid, position limit',
      },
    ],
  },
  {
    fault: 'sameReference',
    broken: 'No key says that a reference is there once',
    edits: [
      {
        file: 'src/database/migrations/0001_first_letters.sql',
        from: 'primary key (sender_id, reference)',
        to: 'primary key (sender_id, reference, message_id)',
      },
      { file: write, from: 'on conflict (sender_id, reference) do nothing', to: 'on conflict do nothing' },
    ],
  },
]

const top = path.join(import.meta.dirname, '../..')
/** What one run does not find by chance, another may. */
const runsMax = 3
const times = 5

function breakCopy(folder: string, edits: readonly Edit[]): void {
  for (const name of ['src', 'demo', 'package.json']) cpSync(path.join(top, name), path.join(folder, name), { recursive: true })
  symlinkSync(path.join(top, 'node_modules'), path.join(folder, 'node_modules'))
  for (const { file, from, to } of edits) {
    const place = path.join(folder, file)
    const parts = readFileSync(place, 'utf8').split(from)
    if (parts.length !== 2) throw new Error(`${file} does not have this once, so the mutant is out of date: ${from}`)
    writeFileSync(place, parts.join(to))
  }
}

/** What the judge said, or why the run did not come to its end; undefined where all seemed well. */
async function findBroken(mutant: Mutant): Promise<string | undefined> {
  const folder = mkdtempSync(path.join(tmpdir(), 'dp-mutant-'))
  try {
    breakCopy(folder, mutant.edits)
    for (let run = 0; run < runsMax; run += 1) {
      const seed = Math.floor(Math.random() * 2 ** 31)
      const found = await runFault(faults[mutant.fault], { seed, times, top: folder, limitMs: 180_000 }).then(
        ({ findings }) => findings[0],
        (error: Error) => error.message,
      )
      if (found !== undefined) return found
    }
    return undefined
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const asked = process.argv.slice(2)
const unbroken = await findBroken({ fault: 'sameReference', broken: '', edits: [] })
if (unbroken !== undefined) throw new Error(`A copy that is not broken is found to be: ${unbroken}`)
console.log('| fault | what is broken | found by |\n|---|---|---|')
for (const mutant of mutants) {
  const fault: Fault = faults[mutant.fault]
  if (asked.length > 0 && !asked.includes(mutant.fault)) continue
  const why = fault.whyNot?.()
  const found = why === undefined ? await findBroken(mutant) : `not tried: ${why}`
  console.log(`| ${fault.name} | ${mutant.broken} | ${found ?? '**nothing**'} |`)
  if (found === undefined) process.exitCode = 1
}
// A pool that was cut may still hold a socket.
process.exit()

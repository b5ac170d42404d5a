import { scopesInWords } from './access/rights.ts'
import { buildApp } from './app.ts'
import { readConfig, settings } from './config.ts'
import { connect } from './database/connect.ts'
import { problems } from './problems.ts'

const madeBy = '<!-- Made from the code by `npm run docs`; a test sees that it is up to date. -->'

/** The pages of docs/ that are made from the code: each with its path from the top and its text. */
export async function writeDocs(): Promise<Map<string, string>> {
  return new Map([
    ['docs/settings.md', settingsPage()],
    ['docs/problems.md', problemsPage()],
    ['docs/openapi.json', await openApi()],
  ])
}

function settingsPage(): string {
  const rows = Object.entries(settings).map(([name, meaning]) => `| \`${name}\` | ${meaning} |`)
  return `${madeBy}\n\n# Settings\n\nFrom the environment, read once at the start. A wrong one stops the start with a sentence that names it.\n\n| name | meaning |\n|---|---|\n${rows.join('\n')}\n`
}

function problemsPage(): string {
  const rows = Object.entries(problems).map(
    ([code, [status, advice, sentence]]) => `| \`${code}\` | ${status} | ${advice} | ${sentence} |`,
  )
  const scopes = Object.entries(scopesInWords).map(([right, words]) => `| \`${right}\` | ${words} |`)
  return `${madeBy}

# Problems

Every error of the API is a problem document (RFC 9457) with a stable \`code\` and an \`advice\`: \`fix\` (the request is wrong),
\`retry\` (the same request may work later), \`other-channel\` (this recipient cannot be reached here). The id of the request is in
the header \`Request-Id\`, and in our log.

| code | status | advice | what it says |
|---|---|---|---|
${rows.join('\n')}

## Scopes

| scope | allows to |
|---|---|
${scopes.join('\n')}
`
}

/** The contract, as a file that shows in review. */
async function openApi(): Promise<string> {
  const config = readConfig({ DEMO: 'true', BASE_URL: 'https://post.example', LOG_LEVEL: 'silent' })
  // Nothing is asked of this database: it is only opened at its first query.
  const database = connect('postgres://nobody@localhost/nothing', 1)
  const app = await buildApp(config, database)
  await app.ready()
  const text = `${JSON.stringify(app.swagger(), null, 2)}\n`
  await app.close()
  await database.end()
  return text
}

import path from 'node:path'
import type { FastifyReply, FastifyRequest } from 'fastify'
import nunjucks from 'nunjucks'
import type { Config } from '../config.ts'
import type { Database } from '../database/connect.ts'
import type { IdentifierKeys } from '../registry/identifier.ts'
import { assetPath } from './assets.ts'
import { dayInWords, exactTimeInWords, timeInWords } from './dates.ts'
import { type DepartmentSection, sectionsFor } from './department/sections.ts'
import { accessInMailbox } from './grant-words.ts'
import type { SignedIn } from './session.ts'

/** What pages need of the program around them. */
export type Surroundings = { config: Config; database: Database; keys: IdentifierKeys; clock: () => Date }

const templates = new nunjucks.Environment(
  new nunjucks.FileSystemLoader([import.meta.dirname, path.join(import.meta.dirname, '../../node_modules/govuk-frontend/dist')]),
  { autoescape: true, throwOnUndefined: false, trimBlocks: true, lstripBlocks: true },
)
templates.addFilter('day', dayInWords)
templates.addFilter('time', timeInWords)
templates.addFilter('exactTime', exactTimeInWords)

export type FieldError = { field: string; text: string }

export type RegistrarSection = 'records' | 'businesses' | 'merges' | 'log'

export type PageData = {
  title: string
  /** Which item of the navigation the page belongs to. */
  section?: 'inbox' | 'sent' | 'write' | 'my-details' | 'mailboxes' | 'people' | DepartmentSection | RegistrarSection
  /** What is wrong in the form that the page shows. */
  errors?: readonly FieldError[]
} & Record<string, unknown>

/** Answers with the page made from `src/web/<template>.njk`. Everything in `data` is shown as text, unless a template says otherwise. */
export function sendPage(
  request: FastifyRequest,
  reply: FastifyReply,
  template: string,
  data: PageData,
  status = 200,
): FastifyReply {
  const { signedIn } = request
  const content = templates.render(`${template}.njk`, { ...data, signedIn, errorAt: errorsByField(data.errors) })
  const values: Record<Marker, string> = {
    title: escapeHtml(data.errors?.length ? `Error: ${data.title}` : data.title),
    csrfToken: escapeHtml(signedIn?.csrfToken ?? ''),
    name: escapeHtml(signedIn?.name ?? ''),
    organisationName: escapeHtml(signedIn?.organisationName ?? ''),
    ownerName: escapeHtml(signedIn?.openMailbox?.ownerName ?? ''),
    access: escapeHtml(signedIn?.openMailbox ? accessInMailbox(signedIn.openMailbox) : ''),
    content,
  }
  const html = shellFor(request.server.serviceName ?? 'Digital Post', signedIn, data.section)
    .map((part, index) => (index % 2 === 0 ? part : values[part as Marker]))
    .join('')
  return reply.code(status).type('text/html; charset=utf-8').header('cache-control', 'no-store').send(html)
}

declare module 'fastify' {
  interface FastifyInstance {
    /** What the mailbox is called on its pages. */
    serviceName?: string
  }
}

const markers = ['title', 'csrfToken', 'name', 'organisationName', 'ownerName', 'access', 'content'] as const
type Marker = (typeof markers)[number]

const shells = new Map<string, string[]>()

/**
 * The page around the content, in parts: HTML, a marker's name, HTML, and so on. Running GOV.UK's macros takes about as long
 * as all of an inbox, so they run once for each kind of page.
 */
function shellFor(serviceName: string, signedIn: SignedIn | undefined, section: string | undefined): string[] {
  const role = signedIn?.role
  const may = {
    read: signedIn?.actor.rights.has('inbox:read') ?? false,
    write: signedIn?.actor.rights.has('messages:write') ?? false,
    managePeople: (signedIn?.openMailbox?.isBusiness && signedIn.actor.rights.has('grants:manage')) ?? false,
  }
  const isElsewhere = signedIn?.openMailbox !== undefined
  const sections = role === 'staff' ? sectionsFor(signedIn!.actor) : []
  const kind = JSON.stringify([role, section, serviceName, may, isElsewhere, sections.map(({ href }) => href)])
  let shell = shells.get(kind)
  if (shell === undefined) {
    const marker = Object.fromEntries(markers.map((name) => [name, `\u0001${name}\u0001`]))
    shell = templates
      .render('shell.njk', { marker, role, section, serviceName, assetPath, may, isElsewhere, sections })
      .trim()
      .split('\u0001')
    shells.set(kind, shell)
  }
  return shell
}

function errorsByField(errors: readonly FieldError[] = []): Record<string, { text: string }> {
  return Object.fromEntries(errors.map(({ field, text }) => [field, { text }]))
}

const htmlOf: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => htmlOf[character]!)
}

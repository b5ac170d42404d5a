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
import { addressIn, type Language, languageOf, languages, translate } from './words.ts'

/** What pages need of the program around them. */
export type Surroundings = { config: Config; database: Database; keys: IdentifierKeys; clock: () => Date }

/**
 * One for each language, so that macros too have its words. `t('inbox:title')` is text; `html('inbox:title', values)` is for
 * words that hold HTML of their own, and escapes the values.
 */
const templates = Object.fromEntries(languages.map((language) => [language, makeTemplates(language)])) as Record<
  Language,
  nunjucks.Environment
>

function makeTemplates(language: Language): nunjucks.Environment {
  const folders = [import.meta.dirname, path.join(import.meta.dirname, '../../node_modules/govuk-frontend/dist')]
  const options = { autoescape: true, throwOnUndefined: false, trimBlocks: true, lstripBlocks: true }
  const environment = new nunjucks.Environment(new nunjucks.FileSystemLoader(folders), options)
  const t = translate(language)
  const escaped = (values: Record<string, unknown> = {}) =>
    Object.fromEntries(
      Object.entries(values).map(([name, value]) => [name, typeof value === 'number' ? value : escapeHtml(String(value))]),
    )
  return environment
    .addGlobal('language', language)
    .addGlobal('t', t)
    .addGlobal(
      'html',
      (key: string, values?: Record<string, unknown>) => new nunjucks.runtime.SafeString(t(key, escaped(values))),
    )
    .addFilter('day', (time: Date) => dayInWords(time, language))
    .addFilter('time', (time: Date) => timeInWords(time, language))
    .addFilter('exactTime', (time: Date) => exactTimeInWords(time, language))
}

/** What a template makes, in one language, with nothing around it: for what is no page of ours. */
export function renderTemplate(language: Language, template: string, data: Record<string, unknown>): string {
  return templates[language].render(`${template}.njk`, data)
}

export type FieldError = { field: string; text: string }

export type RegistrarSection = 'records' | 'businesses' | 'merges' | 'log'

export type PageData = {
  title: string
  /** Which item of the navigation the page belongs to. */
  section?:
    | 'inbox'
    | 'to-do'
    | 'search'
    | 'more'
    | 'sent'
    | 'write'
    | 'my-details'
    | 'mailboxes'
    | 'people'
    | DepartmentSection
    | RegistrarSection
  /** For paper: with no navigation around it. */
  isBare?: boolean
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
  const language = languageOf(request)
  const content = templates[language].render(`${template}.njk`, {
    ...data,
    signedIn,
    errorAt: errorsByField(language, data.errors),
  })
  const values: Record<Marker, string> = {
    title: escapeHtml(data.errors?.length ? translate(language)('shell:error-title', { title: data.title }) : data.title),
    otherLanguage: escapeHtml(addressIn(language === 'en' ? 'cy' : 'en', request)),
    csrfToken: escapeHtml(signedIn?.csrfToken ?? ''),
    name: escapeHtml(signedIn?.name ?? ''),
    organisationName: escapeHtml(signedIn?.organisationName ?? ''),
    ownerName: escapeHtml(signedIn?.openMailbox?.ownerName ?? ''),
    access: escapeHtml(signedIn?.openMailbox ? accessInMailbox(signedIn.openMailbox, language) : ''),
    content,
  }
  const html = shellFor(request.server.serviceName ?? 'Digital Post', language, signedIn, data)
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

const markers = ['title', 'otherLanguage', 'csrfToken', 'name', 'organisationName', 'ownerName', 'access', 'content'] as const
type Marker = (typeof markers)[number]

const shells = new Map<string, string[]>()

/**
 * The page around the content, in parts: HTML, a marker's name, HTML, and so on. Running GOV.UK's macros takes about as long
 * as all of an inbox, so they run once for each kind of page.
 */
function shellFor(
  serviceName: string,
  language: Language,
  signedIn: SignedIn | undefined,
  { section, panes, isBare = false }: PageData,
): string[] {
  const role = signedIn?.role
  const may = {
    read: signedIn?.actor.rights.has('inbox:read') ?? false,
    write: signedIn?.actor.rights.has('messages:write') ?? false,
    managePeople: (signedIn?.openMailbox?.isBusiness && signedIn.actor.rights.has('grants:manage')) ?? false,
  }
  const isElsewhere = signedIn?.openMailbox !== undefined
  const sections = role === 'staff' ? sectionsFor(signedIn!.actor) : []
  const isWide = panes !== undefined
  const kind = JSON.stringify([
    language,
    role,
    section,
    isBare,
    isWide,
    serviceName,
    may,
    isElsewhere,
    sections.map(({ href }) => href),
  ])
  let shell = shells.get(kind)
  if (shell === undefined) {
    const marker = Object.fromEntries(markers.map((name) => [name, `\u0001${name}\u0001`]))
    shell = templates[language]
      .render('shell.njk', { marker, role, section, isBare, isWide, serviceName, assetPath, may, isElsewhere, sections })
      .trim()
      .split('\u0001')
    shells.set(kind, shell)
  }
  return shell
}

/** As GOV.UK's macros take them: they say “Error:” before each, for who does not see that it is red. */
function errorsByField(language: Language, errors: readonly FieldError[] = []) {
  const visuallyHiddenText = translate(language)('errors:prefix')
  return Object.fromEntries(errors.map(({ field, text }) => [field, { text, visuallyHiddenText }]))
}

const htmlOf: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => htmlOf[character]!)
}

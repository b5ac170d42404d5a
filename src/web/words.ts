import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { createInstance } from 'i18next'
import { ownCookie } from './session.ts'

/** In which pages can be read. */
export const languages = ['en', 'cy'] as const
export type Language = (typeof languages)[number]

/**
 * The words for `namespace:key` in one language; `count` among the values chooses the plural. What is not in words/cy is taken from
 * words/en; words.test.ts finds what is in one only.
 */
export type Translate = (key: string, values?: Record<string, unknown>) => string

const folder = path.join(import.meta.dirname, 'words')

/** Every namespace of a language: a file of words/en is one. */
export function readWords(language: Language): Record<string, Record<string, unknown>> {
  const files = readdirSync(path.join(folder, language)).filter((file) => file.endsWith('.json'))
  const read = (file: string) => JSON.parse(readFileSync(path.join(folder, language, file), 'utf8'))
  return Object.fromEntries(files.map((file) => [path.basename(file, '.json'), read(file)]))
}

const instance = createInstance()
instance.init({
  lng: 'en',
  fallbackLng: 'en',
  initAsync: false,
  resources: Object.fromEntries(languages.map((language) => [language, readWords(language)])),
})

/** Text, the name of a gap, text, and so on. */
type Sentence = readonly string[]

/**
 * i18next takes some microseconds for each word, and a page has dozens: what it finds is kept, cut at its gaps. Of a plural, for
 * each of its categories, and for none, for which i18next has an ending in every language.
 */
function makeTranslate(language: Language): Translate {
  const find = instance.getFixedT(language)
  const plurals = new Intl.PluralRules(language)
  const kept = new Map<string, Sentence>()
  return (key, values) => {
    const count = typeof values?.count === 'number' ? values.count : undefined
    const place = count === undefined ? key : `${key} ${count === 0 ? 'none' : plurals.select(count)}`
    let sentence = kept.get(place)
    if (sentence === undefined) {
      sentence = find(key, { ...(count === undefined ? {} : { count }), skipInterpolation: true }).split(/\{\{\s*(\w+)\s*\}\}/)
      kept.set(place, sentence)
    }
    if (sentence.length === 1) return sentence[0]!
    return sentence.map((part, index) => (index % 2 === 0 ? part : String(values?.[part] ?? ''))).join('')
  }
}

const translators = Object.fromEntries(languages.map((language) => [language, makeTranslate(language)])) as Record<
  Language,
  Translate
>

export function translate(language: Language): Translate {
  return translators[language]
}

/** Whether there are words for a key. */
export function hasWords(key: string): boolean {
  return instance.exists(key)
}

declare module 'fastify' {
  interface FastifyRequest {
    /** See languageOf. */
    chosenLanguage: Language | undefined
  }
}

const isLanguage = (word: unknown): word is Language => languages.includes(word as Language)
export const languageCookie = 'language'
const cookieSeconds = 365 * 24 * 60 * 60

/** In which a request is answered: English, unless the reader chose another one. */
export function languageOf(request: FastifyRequest): Language {
  return request.chosenLanguage ?? 'en'
}

/** The words for whoever made the request. */
export function wordsFor(request: FastifyRequest): Translate {
  return translate(languageOf(request))
}

/** Reads which language was chosen: by the address (`?lang=cy`), which a cookie remembers, or by the cookie. */
export function registerLanguages(app: FastifyInstance, baseUrl: string): void {
  const cookie = ownCookie(baseUrl, languageCookie)
  app.decorateRequest('chosenLanguage', undefined)
  app.addHook('onRequest', (request, reply, done) => {
    const asked = (request.query as { lang?: unknown }).lang
    const language = isLanguage(asked) ? asked : request.cookies[cookie.name]
    if (isLanguage(language)) request.chosenLanguage = language
    if (isLanguage(asked)) rememberLanguage(reply, baseUrl, asked)
    done()
  })
}

/** For as long as the browser keeps it, a year at most. */
export function rememberLanguage(reply: FastifyReply, baseUrl: string, language: Language): void {
  const { name, options } = ownCookie(baseUrl, languageCookie)
  reply.setCookie(name, language, { ...options, maxAge: cookieSeconds })
}

/** The same page in another language. */
export function addressIn(language: Language, request: FastifyRequest): string {
  const address = new URL(request.url, 'http://page')
  address.searchParams.set('lang', language)
  return `${address.pathname}${address.search}`
}

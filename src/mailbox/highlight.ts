import { isFound, type Needle } from './search-query.ts'
import { fold } from './search-words.ts'

/** A piece of text, and whether it is what was looked for. */
export type Piece = { text: string; isFound: boolean }

const runs = /[\p{L}\p{N}\p{M}]+(?:['’.,/&@_+-][\p{L}\p{N}\p{M}]+)*/gu
const words = /[\p{L}\p{N}\p{M}]+/gu

type Place = { start: number; end: number }

/** Where in a text the words are that were looked for; `most` of them. */
function* placesOf(text: string, needles: readonly Needle[]): Generator<Place> {
  if (needles.length === 0) return
  for (const { 0: run, index } of text.matchAll(runs)) {
    const inside = [...run.matchAll(words)]
    const found = inside.filter(([word]) => isFound(word, needles))
    for (const { 0: word, index: at } of found) yield { start: index + at, end: index + at + word.length }
    // CT-1001 is found by CT1001 too.
    if (found.length === 0 && inside.length > 1 && isFound(fold(run).replace(/[^\p{L}\p{N}]+/gu, ''), needles)) {
      yield { start: index, end: index + run.length }
    }
  }
}

/** All of a text, in pieces. */
export function highlight(text: string, needles: readonly Needle[]): Piece[] {
  const pieces: Piece[] = []
  let at = 0
  for (const { start, end } of placesOf(text, needles)) {
    if (start > at) pieces.push({ text: text.slice(at, start), isFound: false })
    pieces.push({ text: text.slice(start, end), isFound: true })
    at = end
  }
  if (at < text.length) pieces.push({ text: text.slice(at), isFound: false })
  return pieces
}

const lengthBefore = 60
const excerptLength = 220

/** Some words around the first place; undefined where there is none. */
export function excerpt(text: string, needles: readonly Needle[]): Piece[] | undefined {
  for (const { start } of placesOf(text, needles)) {
    const from = start <= lengthBefore ? 0 : text.indexOf(' ', start - lengthBefore) + 1
    const begin = from > start || from === 0 ? Math.max(0, start - lengthBefore) : from
    const last = text.lastIndexOf(' ', begin + excerptLength)
    const end = begin + excerptLength >= text.length ? text.length : last > start ? last : begin + excerptLength
    const shown = `${begin > 0 ? '… ' : ''}${text.slice(begin, end).trim()}${end < text.length ? ' …' : ''}`
    return highlight(shown, needles)
  }
  return undefined
}

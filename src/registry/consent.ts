import { createHash } from 'node:crypto'
import type { Category } from './find-categories.ts'

/** What is shown to somebody who is asked for consent: in the language asked for, or else in the first that there is. */
export function wordingOf({ wording }: Category, language: string): { language: string; text: string } | undefined {
  const shown = Object.hasOwn(wording, language) ? language : Object.keys(wording).sort()[0]
  return shown === undefined ? undefined : { language: shown, text: wording[shown]! }
}

/** Goes through the form, so that nobody is held to words other than those that were shown. */
export function digestOf(wording: string): string {
  return createHash('sha256').update(wording).digest('base64url').slice(0, 22)
}

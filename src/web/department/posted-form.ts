import type { FastifyRequest } from 'fastify'
import { checkForm } from '../session.ts'

/** What a form without files held. */
export type Posted = {
  /** On one line, as it was typed. */
  line: (name: string) => string
  /** As it was typed, over several lines. */
  text: (name: string) => string
  /** What was ticked in a group of boxes. */
  ticked: (name: string) => string[]
  /** Of all its fields. */
  names: () => string[]
}

/** Reads a form and refuses one that is not ours. */
export async function readPosted(request: FastifyRequest): Promise<Posted> {
  await checkForm(request)
  const body = (request.body ?? {}) as Record<string, unknown>
  const all = (name: string) => [Object.hasOwn(body, name) ? body[name] : []].flat().filter((value) => typeof value === 'string')
  const text = (name: string) => (all(name)[0] ?? '').toWellFormed().replaceAll('\0', '')
  return {
    text,
    ticked: all,
    names: () => Object.keys(body),
    line: (name) =>
      text(name)
        .replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ')
        .trim(),
  }
}

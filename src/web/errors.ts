import type { FastifyReply, FastifyRequest } from 'fastify'
import { describeError } from '../database/describe-error.ts'
import { Problem } from '../problems.ts'
import { OtherSiteError } from './download.ts'
import { sendPage } from './page.ts'
import { homeOf } from './session.ts'
import { type Translate, wordsFor } from './words.ts'

/** What each page says is in words/…/errors.json, in one sentence or two; and where it leads on to, beside the way home. */
const pages = {
  'not-found': { sentences: ['first', 'second'] },
  'form-expired': { sentences: ['first', 'second'] },
  'access-ended': { sentences: ['first', 'second'], link: '/mailboxes' },
  'mailbox-changed': { sentences: ['first', 'second'], link: '/mailboxes' },
  'scope-missing': { sentences: ['first', 'second'] },
  'evidence-pending': { sentences: ['first', 'second'] },
  'other-site': { sentences: ['first'] },
  'too-large': { sentences: ['first'] },
  refused: { sentences: ['first'] },
  failed: { sentences: ['first', 'second'] },
} as const satisfies Record<string, { sentences: readonly string[]; link?: string }>

type Refusal = keyof typeof pages

/**
 * A page for whatever was thrown: it says what to do, and the reference under which the log has the rest. Nothing of the
 * error itself is shown.
 */
export function sendErrorPage(request: FastifyRequest, reply: FastifyReply, error: unknown): FastifyReply {
  const [status, refusal] = judge(error)
  if (status >= 500) request.log.error(describeError(error), 'failed')
  else request.log.info({ refusal }, 'refused')
  const home = request.signedIn && homeOf(request.signedIn)
  return sendPage(request, reply, 'error', { ...inWords(refusal, wordsFor(request)), home, reference: request.id }, status)
}

function inWords(refusal: Refusal, t: Translate) {
  const { sentences, link }: { sentences: readonly string[]; link?: string } = pages[refusal]
  return {
    title: t(`errors:${refusal}.title`),
    sentences: sentences.map((sentence) => t(`errors:${refusal}.${sentence}`)),
    link: link && { href: link, text: t(`errors:${refusal}.link`) },
  }
}

function judge(error: unknown): [status: number, Refusal] {
  if (error instanceof OtherSiteError) return [403, 'other-site']
  const { validationContext, statusCode } = (error ?? {}) as { validationContext?: string; statusCode?: number }
  // An address that does not fit its schema is an address of nothing.
  if (validationContext === 'params' || validationContext === 'querystring') return [404, 'not-found']
  const status = error instanceof Problem ? error.status : (statusCode ?? 500)
  if (error instanceof Problem && isPaged(error.code)) return [status, error.code]
  if (status === 404) return [404, 'not-found']
  if (status === 413) return [413, 'too-large']
  return status >= 400 && status < 500 ? [status, 'refused'] : [Math.max(status, 500), 'failed']
}

/** What has a page of its own. */
const paged = ['form-expired', 'access-ended', 'mailbox-changed', 'scope-missing', 'evidence-pending'] as const

function isPaged(code: string): code is (typeof paged)[number] {
  return (paged as readonly string[]).includes(code)
}

import type { FastifyReply, FastifyRequest } from 'fastify'
import { describeError } from '../database/describe-error.ts'
import { Problem } from '../problems.ts'
import { OtherSiteError } from './download.ts'
import { sendPage } from './page.ts'
import { homeOf } from './session.ts'

type ErrorPage = { title: string; sentences: readonly string[]; link?: { text: string; href: string } }

const pages = {
  'not-found': {
    title: 'There is nothing here',
    sentences: [
      'The address may be mistyped, or what was here is not yours to see.',
      'If you typed the address, check it. If you followed a link, go to your post and look for the letter there.',
    ],
  },
  'form-expired': {
    title: 'This form has expired',
    sentences: [
      'Nothing was sent. You may have been signed out, or the form was open for a long time.',
      'Go back, copy what you wrote, load the page again and send it from there.',
    ],
  },
  'access-ended': {
    title: 'You can no longer open that mailbox',
    sentences: [
      'You had somebody else’s mailbox open. Your access to it has ended, or was changed. Nothing was shown, sent or changed.',
      'You are in your own mailbox again. If you think that this is a mistake, ask the person or the business whose mailbox it is.',
    ],
    link: { text: 'See which mailboxes you can open', href: '/mailboxes' },
  },
  'mailbox-changed': {
    title: 'You have another mailbox open now',
    sentences: [
      'This form was for a different mailbox than the one that is open now. Nothing was sent.',
      'If you still want to send it, copy what you wrote, open the mailbox that it is for, and send it from there.',
    ],
    link: { text: 'Choose the mailbox', href: '/mailboxes' },
  },
  'scope-missing': {
    title: 'You cannot do this here',
    sentences: [
      'You do not have the right that this needs. Nothing was sent or changed.',
      'In somebody else’s mailbox, what you can do is for them, or an administrator of the business, to say.',
    ],
  },
  'evidence-pending': {
    title: 'The receipt is not ready yet',
    sentences: [
      'What has just happened is being sealed, and then witnessed by others. This takes some seconds.',
      'Wait a moment, then go back and try again.',
    ],
  },
  'other-site': {
    title: 'This document opens from its letter only',
    sentences: ['Another website asked for it. To keep your post private, open the document from the letter that it came with.'],
  },
  'too-large': {
    title: 'That was too large to send',
    sentences: ['Nothing was sent. Go back and choose fewer or smaller files.'],
  },
  refused: {
    title: 'We could not understand that',
    sentences: ['Nothing was sent. Go back and try again.'],
  },
  failed: {
    title: 'Sorry, something went wrong here',
    sentences: ['It is our fault and not yours. Nothing that was sent before is lost.', 'Try again in a few minutes.'],
  },
} as const satisfies Record<string, ErrorPage>

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
  return sendPage(request, reply, 'error', { ...pages[refusal], home, reference: request.id }, status)
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

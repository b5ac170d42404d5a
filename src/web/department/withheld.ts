import type { FastifyReply, FastifyRequest } from 'fastify'
import { findWithheld, readWithheldFile, unreachable, type Withheld } from '../../delivery/withheld.ts'
import { readAction } from '../../documents/action.ts'
import { findFile } from '../../mailbox/find.ts'
import { Problem } from '../../problems.ts'
import { viewAction } from '../action-view.ts'
import type { LetterFiles } from '../files.ts'
import { viewLetter } from '../letter-view.ts'
import { sendPage } from '../page.ts'
import { languageOf, wordsFor } from '../words.ts'
import { findInMailbox, isWaiting, writesFor } from './recall.ts'

const folder = '/department/messages'

/** A letter that its recipient does not see, and why; and the letter as its recipient sees it then. */
export function sendWithheld(
  request: FastifyRequest,
  reply: FastifyReply,
  letter: Withheld,
  language: string | undefined,
  now: Date,
): FastifyReply {
  const view = viewLetter(
    // That it was taken back is said of it, and not in its place.
    {
      ...letter,
      id: letter.messageId,
      writtenByName: null,
      isSent: true,
      isFromParty: false,
      availableAt: now,
      recalledAt: null,
    },
    folder,
    2,
    language,
  )
  const t = wordsFor(request)
  const reader = { language: languageOf(request), t, now, mayAct: true }
  return sendPage(request, reply, 'department/withheld', {
    title: view.subject,
    section: letter.why === 'held' ? 'batches' : 'inbox',
    withheld: letter,
    failedBecause: letter.failedBecause === unreachable ? t('staff-inbox:withheld.unreachable') : letter.failedBecause,
    letter: view,
    actions: letter.actions.map((action) => viewAction(readAction(action), letter.messageId, reader)),
    mayTakeBack: isWaiting(letter) && writesFor(request.signedIn!.actor, letter),
  })
}

/** Of letters in mailboxes, and of those that their recipient does not see. */
export const sentFiles: LetterFiles = {
  async find(db, actor, id) {
    const found = await findInMailbox(db, actor, id)
    if (found !== undefined && !(found.isSent && found.recalledAt !== null)) return found
    return { ...(await findWithheld(db, actor, id)), isSent: true }
  },
  async findFile(db, actor, id, fileId, now) {
    return findFile(db, actor, id, fileId, now).catch((error) => {
      if (error instanceof Problem && error.code === 'not-found') return readWithheldFile(db, actor, id, fileId, now)
      throw error
    })
  },
}

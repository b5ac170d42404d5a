import type { FastifyInstance } from 'fastify'
import { sendDraft } from '../../delivery/send-draft.ts'
import { receiptMaker } from '../../evidence/make-receipt.ts'
import { openEvidence } from '../../evidence/open-evidence.ts'
import { confirmEmailPages } from '../confirm-email.ts'
import { fileRoutes } from '../files.ts'
import { acceptForms } from '../form.ts'
import { helpPages } from '../help.ts'
import { livePage } from '../live.ts'
import type { Surroundings } from '../page.ts'
import { proofPages } from '../proof.ts'
import { requirePerson, requireRightToWrite } from '../session.ts'
import { actionPages } from './actions.ts'
import { answerPages } from './answer.ts'
import { archivePages } from './archive.ts'
import { calendarPages } from './calendar.ts'
import { draftPage } from './draft.ts'
import { draftPages } from './drafts.ts'
import { filingForms } from './filing.ts'
import { folderPages } from './folders.ts'
import { forwardPages } from './forward.ts'
import { forwardCheckPages } from './forward-check.ts'
import { helpingPages } from './helping.ts'
import { inboxPage } from './inbox.ts'
import { keepFormOfEndedSession, keptFormPages } from './kept-form.ts'
import { letterPage } from './letter.ts'
import { linkedServicesPages } from './linked-services.ts'
import { looksPages } from './looks.ts'
import { mailboxPages } from './mailboxes.ts'
import { morePages } from './more.ts'
import { myDetailsPage } from './my-details.ts'
import { contactDetailPages } from './my-details-contact.ts'
import { devicePages } from './my-details-devices.ts'
import { languagePages } from './my-details-language.ts'
import { notePages } from './note.ts'
import { peoplePages } from './people.ts'
import { printPage } from './print.ts'
import { registrationPages } from './registration.ts'
import { searchPages } from './search.ts'
import { sentPages } from './sent.ts'
import { startPage } from './start.ts'
import { welcomePage } from './welcome.ts'
import { helperPages } from './who-helps.ts'
import { writePages } from './write.ts'

/** Pages of people and businesses. */
export function registerCitizenPages(app: FastifyInstance, surroundings: Surroundings): void {
  const { database, clock } = surroundings
  livePage(app, surroundings)
  startPage(app)
  helpPages(app, surroundings)
  confirmEmailPages(app, surroundings)
  const makeReceipt = receiptMaker(openEvidence(surroundings.config))
  app.register(async (scope) => {
    scope.addHook('preHandler', keepFormOfEndedSession(surroundings))
    scope.addHook('preHandler', requirePerson)
    scope.addHook('preHandler', requireRightToWrite)
    await acceptForms(scope)
    for (const register of [inboxPage, letterPage, filingForms, folderPages, notePages]) register(scope, surroundings)
    morePages(scope, database)
    printPage(scope, surroundings)
    archivePages(scope, surroundings, makeReceipt)
    fileRoutes(scope, { database, clock, folder: '/letters' })
    proofPages(scope, surroundings, { makeReceipt, folder: '/letters', shows: 'received', section: 'inbox' })
    proofPages(scope, surroundings, { makeReceipt, folder: '/sent', shows: 'sent', section: 'sent' })
    const desk = { ...surroundings, sendDraft }
    for (const register of [writePages, answerPages, draftPages, draftPage, forwardPages, forwardCheckPages, keptFormPages]) {
      register(scope, desk)
    }
    searchPages(scope, surroundings)
    sentPages(scope, database, clock)
    looksPages(scope, database)
    for (const register of [myDetailsPage, contactDetailPages, devicePages, languagePages, welcomePage])
      register(scope, surroundings)
    for (const register of [actionPages, calendarPages, mailboxPages, helperPages, helpingPages, peoplePages])
      register(scope, surroundings)
    linkedServicesPages(scope, surroundings)
    registrationPages(scope, surroundings)
  })
}

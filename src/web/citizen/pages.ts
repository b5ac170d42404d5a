import type { FastifyInstance } from 'fastify'
import { receiptMaker } from '../../evidence/make-receipt.ts'
import { openEvidence } from '../../evidence/open-evidence.ts'
import { answerPages } from '../answer.ts'
import { fileRoutes } from '../files.ts'
import { acceptForms, limitsForPeople } from '../form.ts'
import type { Surroundings } from '../page.ts'
import { proofPages } from '../proof.ts'
import { requirePerson, requireRightToWrite } from '../session.ts'
import { helpingPages } from './helping.ts'
import { inboxPage } from './inbox.ts'
import { letterPage } from './letter.ts'
import { linkedServicesPages } from './linked-services.ts'
import { looksPages } from './looks.ts'
import { mailboxPages } from './mailboxes.ts'
import { myDetailsPage } from './my-details.ts'
import { peoplePages } from './people.ts'
import { registrationPages } from './registration.ts'
import { searchPages } from './search.ts'
import { sentPages } from './sent.ts'
import { startPage } from './start.ts'
import { helperPages } from './who-helps.ts'
import { writePages } from './write.ts'

/** Pages of people and businesses. */
export function registerCitizenPages(app: FastifyInstance, surroundings: Surroundings): void {
  const { database, clock } = surroundings
  startPage(app)
  const makeReceipt = receiptMaker(openEvidence(surroundings.config))
  app.register(async (scope) => {
    scope.addHook('preHandler', requirePerson)
    scope.addHook('preHandler', requireRightToWrite)
    await acceptForms(scope)
    inboxPage(scope, database)
    letterPage(scope, database, clock)
    fileRoutes(scope, { database, clock, folder: '/letters' })
    proofPages(scope, surroundings, { makeReceipt, folder: '/letters', shows: 'received', section: 'inbox' })
    proofPages(scope, surroundings, { makeReceipt, folder: '/sent', shows: 'sent', section: 'sent' })
    answerPages(scope, surroundings, {
      template: 'citizen/answer',
      folder: '/letters',
      sentFolder: '/sent',
      limits: limitsForPeople(surroundings.config),
      asksWhetherToAnswer: false,
    })
    writePages(scope, surroundings)
    searchPages(scope, surroundings)
    sentPages(scope, database, clock)
    looksPages(scope, database)
    myDetailsPage(scope)
    for (const register of [mailboxPages, helperPages, helpingPages, peoplePages]) register(scope, surroundings)
    linkedServicesPages(scope, surroundings)
    registrationPages(scope, surroundings)
  })
}

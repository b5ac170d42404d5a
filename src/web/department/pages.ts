import type { FastifyInstance } from 'fastify'
import { receiptMaker } from '../../evidence/make-receipt.ts'
import { openEvidence } from '../../evidence/open-evidence.ts'
import { fileRoutes } from '../files.ts'
import { acceptForms } from '../form.ts'
import type { Surroundings } from '../page.ts'
import { proofPages } from '../proof.ts'
import { requireRightToWrite, requireStaff } from '../session.ts'
import { actionSitePages } from './action-sites.ts'
import { answerPages } from './answer.ts'
import { approvalPages } from './approvals.ts'
import { batchPages } from './batches.ts'
import { contactPointPages } from './contact-points.ts'
import { heldBatchPages } from './held-batches.ts'
import { inboxPage } from './inbox.ts'
import { logPages } from './logs.ts'
import { mailingPages } from './mailings.ts'
import { messagePages } from './message.ts'
import { payAccountPages } from './pay-accounts.ts'
import { recallPages } from './recall.ts'
import { reconciliationPages } from './reconciliation.ts'
import { staffPages } from './staff.ts'
import { systemPages } from './systems.ts'
import { templatePages } from './templates.ts'
import { webhookPages } from './webhooks.ts'
import { sentFiles } from './withheld.ts'
import { writePages } from './write.ts'

/** Pages of a public body's staff. */
export function registerDepartmentPages(app: FastifyInstance, surroundings: Surroundings): void {
  const { database, keys, clock } = surroundings
  const makeReceipt = receiptMaker(openEvidence(surroundings.config))
  app.register(async (scope) => {
    scope.addHook('preHandler', requireStaff)
    scope.addHook('preHandler', requireRightToWrite)
    await acceptForms(scope)
    inboxPage(scope, database)
    messagePages(scope, database, keys, clock)
    recallPages(scope, surroundings)
    fileRoutes(scope, { database, clock, folder: '/department/messages', letters: sentFiles })
    proofPages(scope, surroundings, { makeReceipt, folder: '/department/messages', shows: 'either', section: 'inbox' })
    answerPages(scope, surroundings)
    writePages(scope, database, keys, clock)
    staffPages(scope, surroundings)
    systemPages(scope, surroundings)
    webhookPages(scope, surroundings)
    actionSitePages(scope, surroundings)
    payAccountPages(scope, surroundings)
    approvalPages(scope, surroundings)
    logPages(scope, surroundings)
    templatePages(scope, surroundings)
    mailingPages(scope, surroundings)
    batchPages(scope, surroundings)
    heldBatchPages(scope, surroundings)
    reconciliationPages(scope, surroundings)
    contactPointPages(scope, surroundings)
  })
}

import type { FastifyInstance } from 'fastify'
import { answerPages } from '../answer.ts'
import { fileRoutes } from '../files.ts'
import { acceptForms, limitsForPeople } from '../form.ts'
import type { Surroundings } from '../page.ts'
import { requirePerson } from '../session.ts'
import { inboxPage } from './inbox.ts'
import { letterPage } from './letter.ts'
import { sentPages } from './sent.ts'
import { startPage } from './start.ts'
import { writePages } from './write.ts'

/** Pages of people and businesses. */
export function registerCitizenPages(app: FastifyInstance, surroundings: Surroundings): void {
  const { database, keys, clock } = surroundings
  startPage(app)
  app.register(async (scope) => {
    scope.addHook('preHandler', requirePerson)
    await acceptForms(scope)
    inboxPage(scope, database)
    letterPage(scope, database, clock)
    fileRoutes(scope, { database, clock, folder: '/letters' })
    answerPages(scope, surroundings, {
      template: 'citizen/answer',
      folder: '/letters',
      sentFolder: '/sent',
      limits: limitsForPeople,
      asksWhetherToAnswer: false,
    })
    writePages(scope, database, keys, clock)
    sentPages(scope, database)
  })
}

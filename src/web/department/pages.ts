import type { FastifyInstance } from 'fastify'
import { fileRoutes } from '../files.ts'
import { acceptForms } from '../form.ts'
import type { Surroundings } from '../page.ts'
import { requireStaff } from '../session.ts'
import { answerPages } from './answer.ts'
import { inboxPage } from './inbox.ts'
import { messagePages } from './message.ts'
import { writePages } from './write.ts'

/** Pages of a public body's staff. */
export function registerDepartmentPages(app: FastifyInstance, { database, keys, clock }: Surroundings): void {
  app.register(async (scope) => {
    scope.addHook('preHandler', requireStaff)
    await acceptForms(scope)
    inboxPage(scope, database)
    messagePages(scope, database, keys, clock)
    fileRoutes(scope, { database, clock, folder: '/department/messages' })
    answerPages(scope, database, keys, clock)
    writePages(scope, database, keys, clock)
  })
}

import type { FastifyInstance } from 'fastify'
import { acceptForms } from '../form.ts'
import type { Surroundings } from '../page.ts'
import { requireRegistrar } from '../session.ts'
import { administratorPages } from './administrator.ts'
import { businessPages } from './business.ts'
import { findPages } from './find.ts'
import { grantPages } from './grant.ts'
import { logPage } from './log.ts'
import { mergePages } from './merge.ts'
import { recordPages } from './record.ts'
import { registrationPages } from './registration.ts'

/** Pages of the people who run the registry. They see who there is, and who may read what; never post. */
export function registerRegistrarPages(app: FastifyInstance, surroundings: Surroundings): void {
  app.register(async (scope) => {
    scope.addHook('preHandler', requireRegistrar)
    await acceptForms(scope)
    findPages(scope, surroundings)
    recordPages(scope, surroundings)
    registrationPages(scope, surroundings)
    grantPages(scope, surroundings)
    administratorPages(scope, surroundings)
    mergePages(scope, surroundings)
    businessPages(scope, surroundings)
    logPage(scope, surroundings)
  })
}

import type { FastifyInstance } from 'fastify'
import type { Surroundings } from '../page.ts'
import { givenGrantPages } from './given-grants.ts'

/** Who helps a person with their post. */
export function helperPages(app: FastifyInstance, surroundings: Surroundings): void {
  givenGrantPages(app, surroundings, { folder: '/helpers', template: 'who-helps', isForBusiness: false })
}

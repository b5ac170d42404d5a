import type { FastifyInstance } from 'fastify'
import { personOf } from '../../access/grant.ts'
import type { Right } from '../../access/rights.ts'
import { contactOptions, numberInWords } from '../../alerts/contact-detail.ts'
import { listContactDetails } from '../../alerts/list-contact-details.ts'
import { listSessions } from '../../sign-in/own-sessions.ts'
import { readPreferences } from '../../sign-in/preferences.ts'
import { type Surroundings, sendPage } from '../page.ts'
import { languageOf, wordsFor } from '../words.ts'

type Entry = {
  href: string
  /** What it is called in the words of the page. */
  name: string
  right: Right
  /** A person's mailbox and a business's are managed by pages of their own. */
  isOf?: 'person' | 'business'
  /** Not for who helps, whatever their rights are. */
  isOwnersAlone?: boolean
}

/** Of the mailbox that is open, each with the right that its page asks for. */
const ofMailbox: readonly Entry[] = [
  { href: '/linked-services', name: 'linked-services', right: 'links:manage' },
  { href: '/registration', name: 'registration', right: 'registration:manage' },
  { href: '/helpers', name: 'helpers', right: 'grants:manage', isOf: 'person' },
  { href: '/people', name: 'people', right: 'grants:manage', isOf: 'business' },
  { href: '/looks', name: 'looks', right: 'looks:read' },
  { href: '/my-details/download', name: 'download', right: 'mailbox:download' },
  { href: '/to-do/calendar', name: 'calendar', right: 'actions:take', isOwnersAlone: true },
]

const outcomes = ['language-changed'] as const

/** Where a person finds what is neither reading nor writing: about themselves, and about the mailbox that is open. */
export function myDetailsPage(app: FastifyInstance, { config, database, clock }: Surroundings): void {
  const { keys } = contactOptions(config)

  app.get('/my-details', async (request, reply) => {
    const { actor, openMailbox } = request.signedIn!
    const t = wordsFor(request)
    const kind = openMailbox?.isBusiness ? 'business' : 'person'
    const { done } = request.query as { done?: string }
    const [preferences, details, sessions] = await Promise.all([
      readPreferences(database, personOf(actor)),
      listContactDetails(database, keys, personOf(actor)),
      listSessions(database, actor, config, clock()),
    ])
    const verified = details.filter(({ verifiedAt }) => verifiedAt !== undefined)
    return sendPage(request, reply, 'citizen/my-details', {
      title: t('my-details:title'),
      section: 'my-details',
      entries: ofMailbox.filter(
        ({ right, isOf = kind, isOwnersAlone }) =>
          actor.rights.has(right) && isOf === kind && (!isOwnersAlone || actor.by.kind === 'owner'),
      ),
      language: preferences.language ?? languageOf(request),
      emails: verified.filter((each) => each.kind === 'email').map(({ value }) => value),
      mobiles: verified.filter((each) => each.kind === 'mobile').map(({ value }) => numberInWords(value)),
      waiting: details.length - verified.length,
      sessions: sessions.length,
      done: outcomes.find((outcome) => outcome === done),
    })
  })

  app.get('/my-details/name', (request, reply) =>
    sendPage(request, reply, 'citizen/my-details-name', {
      title: wordsFor(request)('my-details:name.title'),
      section: 'my-details',
    }),
  )
}

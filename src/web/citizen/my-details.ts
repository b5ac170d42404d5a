import type { FastifyInstance } from 'fastify'
import type { Right } from '../../access/rights.ts'
import { sendPage } from '../page.ts'

type Entry = {
  href: string
  text: string
  about: string
  right: Right
  /** A person's mailbox and a business's are managed by pages of their own. */
  isOf?: 'person' | 'business'
}

/** Of the mailbox that is open, each with the right that its page asks for. */
const ofMailbox: readonly Entry[] = [
  {
    href: '/linked-services',
    text: 'Linked services',
    about: 'See which public bodies can write to this mailbox, link another one, or unlink one.',
    right: 'links:manage',
  },
  {
    href: '/registration',
    text: 'Your digital post',
    about: 'See whether letters come here or on paper, and what you can change about it.',
    right: 'registration:manage',
  },
  {
    href: '/helpers',
    text: 'People who help you with your post',
    about: 'Let somebody you trust read your letters or answer them, and end it when you like.',
    right: 'grants:manage',
    isOf: 'person',
  },
  {
    href: '/people',
    text: 'People who use this mailbox',
    about: 'Let people and advisers of the business in, change what they can do, and end it.',
    right: 'grants:manage',
    isOf: 'business',
  },
  {
    href: '/looks',
    text: 'Who looked at what',
    about: 'See who opened, read, answered or looked up something of this mailbox, and when.',
    right: 'looks:read',
  },
  {
    href: '/my-details/download',
    text: 'Download everything',
    about: 'Get all your letters, documents and receipts as files that open without us.',
    right: 'mailbox:download',
  },
]

/** Where a person finds what is neither reading nor writing: about the mailbox that is open, and about themselves. */
export function myDetailsPage(app: FastifyInstance): void {
  app.get('/my-details', (request, reply) => {
    const { actor, openMailbox } = request.signedIn!
    const kind = openMailbox?.isBusiness ? 'business' : 'person'
    return sendPage(request, reply, 'citizen/my-details', {
      title: 'My details',
      section: 'my-details',
      entries: ofMailbox.filter(({ right, isOf = kind }) => actor.rights.has(right) && isOf === kind),
    })
  })
}

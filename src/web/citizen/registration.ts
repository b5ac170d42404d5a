import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { Language } from '../../documents/document.ts'
import { changeRegistration } from '../../registry/change-registration.ts'
import { digestOf, wordingOf } from '../../registry/consent.ts'
import { type Category, listCategories } from '../../registry/find-categories.ts'
import { type Consent, findRegistration, listConsents, type OwnRegistration } from '../../registry/find-registration.ts'
import { giveConsent } from '../../registry/give-consent.ts'
import { merged, ownWish, statusOf } from '../../registry/registration.ts'
import { withdrawConsent } from '../../registry/withdraw-consent.ts'
import { Slug } from '../address.ts'
import { type Surroundings, sendPage } from '../page.ts'
import { checkForm } from '../session.ts'
import { languageOf, type Translate, wordsFor } from '../words.ts'

/** Whether public bodies can write to this mailbox, and the owner's say in it. */
export function registrationPages(app: FastifyInstance, surroundings: Surroundings): void {
  app.register(async (scope) => {
    scope.addHook('preHandler', async (request, reply) => {
      if (request.signedIn?.actor.rights.has('registration:manage')) return
      const title = wordsFor(request)('registration:not-yours.title')
      return sendPage(request, reply, 'citizen/registration-not-yours', { title, section: 'my-details' }, 403)
    })
    statusPage(scope, surroundings)
    changePages(scope, surroundings)
    consentForms(scope, surroundings)
  })
}

const outcomes = ['exempt', 'registered', 'consented', 'withdrawn']

function statusPage(app: FastifyInstance, { database, clock }: Surroundings): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()
  const querystring = Type.Object({ done: Type.Optional(Type.String()), language: Type.Optional(Language) })
  scope.get('/registration', { schema: { querystring } }, async (request, reply) => {
    const { done = '', language = languageOf(request) } = request.query
    const t = wordsFor(request)
    const { actor } = request.signedIn!
    const registration = await findRegistration(database, actor)
    const [categories, consents] = registration.categories
      ? await Promise.all([listCategories(database), listConsents(database, actor)])
      : [[], []]
    return sendPage(request, reply, 'citizen/registration', {
      title: t('registration:title'),
      section: 'my-details',
      registration,
      status: statusOf(registration, clock()),
      keptUntil: registration.keptUntil === null ? undefined : new Date(registration.keptUntil),
      history: registration.history.map((change) => inWords(change, t)),
      categories: categories.flatMap((category) => viewCategory(category, consents, language)),
      wordings: categories.some(({ wording }) => wording.cy !== undefined) ? ['en', 'cy'] : [],
      wordingLanguage: language,
      isMine: registration.kind === 'person',
      done: outcomes.includes(done) ? t(`registration:outcome.${done}`) : undefined,
    })
  })
}

function viewCategory(category: Category, consents: readonly Consent[], language: string) {
  const wording = wordingOf(category, language)
  if (wording === undefined) return []
  const given = consents.find((consent) => consent.category === category.slug && consent.withdrawnAt === null)
  return {
    slug: category.slug,
    name: category.name[language] ?? category.name.en ?? category.slug,
    nameLanguage: category.name[language] === undefined ? 'en' : language,
    given,
    wording: given ? { language: given.language, text: given.wording } : wording,
    wordingDigest: digestOf(wording.text),
    earlier: consents.filter((consent) => consent.category === category.slug && consent.withdrawnAt !== null),
  }
}

/** Why a mailbox was closed, where it is from this list; what a registrar wrote is shown as it is. */
const whyClosed = ['death', 'dissolved', merged]

function inWords({ at, became, reason, byKind, byName }: OwnRegistration['history'][number], t: Translate) {
  const closing = became === 'closed' && whyClosed.includes(reason) ? `closed-${reason}` : became
  const why = became === 'closed' || reason === ownWish ? '' : t('registration:reason', { reason })
  const by = byKind === 'owner' ? t('registration:by-you') : t('registration:by', { name: byName })
  return { at: new Date(at), what: t(`registration:became.${closing}`), why, by }
}

/** Both ways have a page that says what it means, and a button. */
function changePages(app: FastifyInstance, { database, clock, config }: Surroundings): void {
  const pages = {
    exempt: { to: 'exempt', title: 'registration:stop' },
    join: { to: 'registered', title: 'registration:again' },
  } as const
  for (const [name, { to, title }] of Object.entries(pages)) {
    app.get(`/registration/${name}`, async (request, reply) => {
      const { kind, registration } = await findRegistration(database, request.signedIn!.actor)
      // A business has no such choice.
      const isPossible = kind === 'person' && registration !== 'closed' && registration !== to
      if (!isPossible) return reply.redirect('/registration', 303)
      return sendPage(request, reply, `citizen/registration-${name}`, { title: wordsFor(request)(title), section: 'my-details' })
    })
    app.post(`/registration/${name}`, { preHandler: checkForm }, async (request, reply) => {
      const { actor } = request.signedIn!
      const change = { partyId: actor.partyId, to, reason: ownWish }
      // Pressed twice, it is done already.
      const { registration } = await findRegistration(database, actor)
      if (registration !== to) await changeRegistration(database, actor, change, clock(), config.registration)
      return reply.redirect(`/registration?done=${to}`, 303)
    })
  }
}

function consentForms(app: FastifyInstance, { database, clock }: Surroundings): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()
  const params = Type.Object({ category: Slug })
  const body = Type.Object({ language: Language, wording: Type.String({ maxLength: 64 }) })

  scope.post('/registration/consents/:category', { schema: { params, body }, preHandler: checkForm }, async (request, reply) => {
    const { language, wording } = request.body
    const consent = { category: request.params.category, language, wordingDigest: wording }
    await giveConsent(database, request.signedIn!.actor, consent, clock())
    return reply.redirect('/registration?done=consented', 303)
  })

  scope.post(
    '/registration/consents/:category/withdraw',
    { schema: { params }, preHandler: checkForm },
    async (request, reply) => {
      await withdrawConsent(database, request.signedIn!.actor, request.params, clock())
      return reply.redirect('/registration?done=withdrawn', 303)
    },
  )
}

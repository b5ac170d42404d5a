import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { personOf } from '../../access/grant.ts'
import { chooseLanguage, readPreferences } from '../../sign-in/preferences.ts'
import { type FieldError, type Surroundings, sendPage } from '../page.ts'
import { checkForm } from '../session.ts'
import { type Language, languageOf, languages, rememberLanguage, wordsFor } from '../words.ts'

/** In which language a person wants pages and messages, on every device that they sign in at. */
export function languagePages(app: FastifyInstance, { config, database, clock }: Surroundings): void {
  const address = '/my-details/language'

  const show = (request: FastifyRequest, reply: FastifyReply, chosen: Language | undefined, errors: FieldError[] = []) => {
    const title = wordsFor(request)('my-details:language.title')
    const data = { title, section: 'my-details', chosen, errors } as const
    return sendPage(request, reply, 'citizen/my-details-language', data, errors.length > 0 ? 422 : 200)
  }

  app.get(address, async (request, reply) => {
    const { language } = await readPreferences(database, personOf(request.signedIn!.actor))
    return show(request, reply, language ?? languageOf(request))
  })

  app.post(address, { preHandler: checkForm }, async (request, reply) => {
    const { language: asked } = request.body as { language?: unknown }
    const language = languages.find((each) => each === asked)
    if (language === undefined) {
      return show(request, reply, undefined, [{ field: 'language', text: wordsFor(request)('my-details:language.choose') }])
    }
    await chooseLanguage(database, request.signedIn!.actor, language, clock())
    rememberLanguage(reply, config.baseUrl, language)
    return reply.redirect('/my-details?done=language-changed', 303)
  })
}

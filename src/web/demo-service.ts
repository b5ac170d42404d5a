import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Config } from '../config.ts'
import { buildDemoService, type DemoService, type DemoSite, demoServiceFolder } from '../sign-in/demo-service.ts'
import { assetPath } from './assets.ts'
import { escapeHtml } from './page.ts'

export type DemoServiceOptions = { config: Config; sites: readonly DemoSite[]; clock: () => Date }

/** The sites of some services of the demo world: the other end of linking, for real. In demo only: elsewhere building one throws. */
export function registerDemoServices(app: FastifyInstance, { config, sites, clock }: DemoServiceOptions): void {
  for (const site of sites) openSite(app, buildDemoService(config, site), config.baseUrl, clock)
}

type Fields = { request?: string; number?: string }

function openSite(app: FastifyInstance, service: DemoService, baseUrl: string, clock: () => Date): void {
  const { site } = service
  const folder = `${demoServiceFolder}/${site.service}`
  const show = (reply: FastifyReply, content: string, status = 200) =>
    reply.code(status).type('text/html; charset=utf-8').header('cache-control', 'no-store').send(pageOf(site, content))

  /** The number that was typed, as the site writes it; undefined where it knows none such. */
  const known = (typed = '') => {
    const number = typed.trim().toUpperCase()
    return site.numbers.test(number) && !site.nobodys.includes(number) ? number : undefined
  }
  const isOurs = (request = '') =>
    service.readRequest(request, clock()).catch((error: Error) => {
      app.log.warn({ name: error.name }, 'a demo service refused a request')
      return undefined
    })

  app.get(`${folder}/jwks.json`, (_request, reply) =>
    reply.header('cache-control', 'public, max-age=300').send(service.publicKeys),
  )
  app.get(folder, (_request, reply) => show(reply, signInForm(site, folder)))

  app.post(folder, async (request, reply) => {
    const number = known(((request.body ?? {}) as Fields).number)
    if (number === undefined) return show(reply, signInForm(site, folder, { wrong: true }), 422)
    return show(reply, account(site, number, `${baseUrl}/linking/offer`, await service.signOffer(number, clock())))
  })

  // From the mailbox, with its request.
  app.get(`${folder}/link`, async (request, reply) => {
    const { request: token = '' } = request.query as Fields
    if ((await isOurs(token)) === undefined) return show(reply, refused(baseUrl), 400)
    return show(reply, signInForm(site, `${folder}/link`, { token }))
  })

  app.post(`${folder}/link`, async (request, reply) => {
    const { request: token = '', number: typed } = (request.body ?? {}) as Fields
    const asked = await isOurs(token)
    if (asked === undefined) return show(reply, refused(baseUrl), 400)
    const number = known(typed)
    if (number === undefined) return show(reply, signInForm(site, `${folder}/link`, { token, wrong: true }), 422)
    return show(reply, consent(site, number, asked.returnTo, await service.signAnswer(number, asked.nonce, clock())))
  })
}

/** Nothing of the mailbox's own around it: it is another's site. */
function pageOf({ title, organisationName }: DemoSite, content: string): string {
  return `<!DOCTYPE html>
<html lang="en" class="govuk-template">
<head>
  <meta charset="utf-8">
  <title>${escapeHtml(title)} – ${escapeHtml(organisationName)}</title>
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <link rel="stylesheet" href="${assetPath}/post.css">
</head>
<body class="govuk-template__body">
<div class="govuk-width-container">
<main class="govuk-main-wrapper">
  <p class="govuk-caption-l">${escapeHtml(organisationName)}</p>
  <h1 class="govuk-heading-l">${escapeHtml(title)}</h1>
${content}
  <p class="govuk-body-s">This is a demonstration. It stands in for the site of a public body that is made up.</p>
</main>
</div>
</body>
</html>
`
}

const hidden = (name: string, value: string) => `<input type="hidden" name="${name}" value="${escapeHtml(value)}">`
const button = (text: string) => `<button type="submit" class="govuk-button">${escapeHtml(text)}</button>`

function signInForm(
  { numberName, example }: DemoSite,
  action: string,
  { token, wrong = false }: { token?: string; wrong?: boolean } = {},
): string {
  const error = wrong ? `<p id="number-error" class="govuk-error-message">Enter a ${numberName} that we know</p>` : ''
  return `
  ${token === undefined ? '' : '<p class="govuk-body">Digital Post asks which of our customers you are. Sign in to tell it.</p>'}
  <form method="post" action="${action}" novalidate>
    ${token === undefined ? '' : hidden('request', token)}
    <div class="govuk-form-group${wrong ? ' govuk-form-group--error' : ''}">
      <label class="govuk-label" for="number">Your ${numberName}</label>
      <div id="number-hint" class="govuk-hint">Such as ${example}</div>
      ${error}
      <input class="govuk-input govuk-input--width-10${wrong ? ' govuk-input--error' : ''}" id="number" name="number" aria-describedby="number-hint${wrong ? ' number-error' : ''}">
    </div>
    ${button('Sign in')}
  </form>`
}

function account({ numberName }: DemoSite, number: string, action: string, offer: string): string {
  return `
  <p class="govuk-body">You are signed in. Your ${numberName} is <strong>${escapeHtml(number)}</strong>.</p>
  <h2 class="govuk-heading-m">Get your letters in Digital Post</h2>
  <p class="govuk-body">We can send our letters to your mailbox in Digital Post instead of on paper.</p>
  <form method="post" action="${escapeHtml(action)}" novalidate>
    ${hidden('offer', offer)}
    ${button('Get your letters in Digital Post')}
  </form>`
}

function consent({ numberName }: DemoSite, number: string, action: string, answer: string): string {
  return `
  <p class="govuk-body">You are signed in. Your ${numberName} is <strong>${escapeHtml(number)}</strong>.</p>
  <p class="govuk-body">If you continue, we tell Digital Post that you are the person whom we know by this number, and we send your letters there once you have confirmed it there too.</p>
  <form method="post" action="${escapeHtml(action)}" novalidate>
    ${hidden('answer', answer)}
    ${button('Continue to Digital Post')}
  </form>
  <p class="govuk-body"><a class="govuk-link" href="${escapeHtml(action)}">Do not link, go back</a></p>`
}

function refused(baseUrl: string): string {
  return `
  <h2 class="govuk-heading-m">This request is not in order</h2>
  <p class="govuk-body">It is too old, or does not come from Digital Post. <a class="govuk-link" href="${escapeHtml(baseUrl)}/linked-services">Start again from there</a>.</p>`
}

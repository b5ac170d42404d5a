import { createHash } from 'node:crypto'
import { jwtVerify } from 'jose'
import type { Config } from '../config.ts'
import type { ContactKind, Language } from './contact-detail.ts'
import { fillIn, messageTexts, type Template, templates } from './message-texts.ts'

/** A message as whoever gets it would see it. */
export type Delivered = {
  id: string
  reference: string
  kind: ContactKind
  to: string
  language: Language
  subject: string
  body: string
  at: Date
}

/** In memory: a demo may forget, and no more than these are kept. */
const keptMax = 100

/** A template has the same id in every demo. */
export function standInTemplateId(template: Template, language: Language): string {
  const hex = createHash('sha256').update(`${template}.${language}`).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

export type NotifyStandIn = ReturnType<typeof openNotifyStandIn>
type Answer = { status: number; body: object }

/** GOV.UK Notify as far as we ask it anything: the real API, and nobody is sent anything. In demo only: elsewhere this throws. */
export function openNotifyStandIn({ demo, alerts: { notify } }: Config) {
  if (!demo || notify === undefined) throw new Error('the stand-in for Notify exists in demo only')
  const delivered: Delivered[] = []
  const byTemplateId = new Map(
    templates.flatMap((template) =>
      (['en', 'cy'] as const).map((language) => [standInTemplateId(template, language), { template, language }] as const),
    ),
  )
  return {
    /** The newest first. */
    delivered: (): readonly Delivered[] => delivered,

    /** What is wrong with the caller’s token, as Notify says it. */
    async refuse(authorization: string | undefined, now: Date): Promise<Answer | undefined> {
      const token = /^bearer (.+)$/i.exec(authorization ?? '')?.[1]
      if (token === undefined) return answer(401, 'AuthError', 'Unauthorized: authentication token must be provided')
      const secret = new TextEncoder().encode(notify.secret)
      const checks = { algorithms: ['HS256'], issuer: notify.serviceId, requiredClaims: ['iat'], currentDate: now }
      const claims = await jwtVerify(token, secret, checks).catch(() => undefined)
      if (claims === undefined) return answer(403, 'AuthError', 'Invalid token: API key not found')
      if (Math.abs(now.getTime() / 1_000 - claims.payload.iat!) <= 30) return undefined
      return answer(403, 'AuthError', 'Error: Your system clock must be accurate to within 30 seconds')
    },

    /** Takes a message. */
    send(kind: ContactKind, body: unknown, now: Date): Answer {
      const { template_id, personalisation = {}, reference = '', ...to } = (body ?? {}) as Record<string, unknown>
      const address = kind === 'email' ? to.email_address : to.phone_number
      if (typeof address !== 'string') return answer(400, 'ValidationError', 'address is a required property')
      const template = byTemplateId.get(String(template_id))
      if (template === undefined || messageTexts[template.template].kind !== kind)
        return answer(400, 'BadRequestError', 'Template not found')
      // As Notify’s own simulator has it.
      if (/@simulator\.notify$|^\+?44?0?7700900003$/.test(address)) return answer(429, 'RateLimitError', 'Exceeded rate limit')
      let text: { subject: string; body: string }
      try {
        text = fillIn(template.template, template.language, personalisation as Record<string, string>)
      } catch {
        return answer(400, 'BadRequestError', 'Missing personalisation')
      }
      const id = crypto.randomUUID()
      delivered.unshift({ id, reference: String(reference), kind, to: address, language: template.language, ...text, at: now })
      delivered.length = Math.min(delivered.length, keptMax)
      return {
        status: 201,
        body: { id, reference, content: text, template: { id: template_id, version: 1 }, scheduled_for: null },
      }
    },

    find: (reference: string | undefined): Answer => {
      const found = delivered.filter((each) => each.reference === reference)
      return { status: 200, body: { notifications: found.map(({ id }) => ({ id, reference })), links: {} } }
    },
  }
}

function answer(status: number, error: string, message: string): Answer {
  return { status, body: { status_code: status, errors: [{ error, message }] } }
}

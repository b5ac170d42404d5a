import { SignJWT } from 'jose'
import { type Channel, type Sent, timeLimitMs } from './channel.ts'
import type { Language } from './contact-detail.ts'
import { messageTexts, type Template } from './message-texts.ts'
import type { Outgoing } from './outgoing.ts'

export type NotifyAccess = {
  /** Without a slash at the end. */
  url: string
  serviceId: string
  secret: string
  templateIds: Record<Template, Record<Language, string>>
}

const paths = { email: 'email', mobile: 'sms' } as const

/** E-mail and SMS by GOV.UK Notify. */
export function notifyChannel(access: NotifyAccess): Channel {
  return {
    kinds: ['email', 'mobile'],
    async send(message, { now, signal, isAgain }) {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(timeLimitMs)])
      try {
        const authorization = `Bearer ${await makeToken(access, now)}`
        // Notify takes the same reference twice: whether it has it is asked first.
        if (isAgain && (await isThere(access, message.id, authorization, limit))) return 'sent'
        return await post(access, message, authorization, limit)
      } catch (error) {
        const { name, cause } = error as { name: string; cause?: { code?: string } }
        return { failed: 'for-now', why: `Notify could not be reached (${cause?.code ?? name}).` }
      }
    },
  }
}

/** Good for 30 seconds by Notify’s own clock. */
function makeToken({ serviceId, secret }: NotifyAccess, now: Date): Promise<string> {
  return new SignJWT({})
    .setProtectedHeader({ typ: 'JWT', alg: 'HS256' })
    .setIssuer(serviceId)
    .setIssuedAt(now)
    .sign(new TextEncoder().encode(secret))
}

async function isThere({ url }: NotifyAccess, reference: string, authorization: string, signal: AbortSignal): Promise<boolean> {
  const response = await fetch(`${url}/v2/notifications?reference=${reference}`, { headers: { authorization }, signal })
  if (!response.ok) throw new Error(`answered ${response.status}`)
  return ((await response.json()) as { notifications: unknown[] }).notifications.length > 0
}

async function post(access: NotifyAccess, message: Outgoing, authorization: string, signal: AbortSignal): Promise<Sent> {
  const { template, language, to, values: personalisation, id: reference } = message
  const { kind } = messageTexts[template]
  const response = await fetch(`${access.url}/v2/notifications/${paths[kind]}`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    body: JSON.stringify({
      ...(kind === 'email' ? { email_address: to } : { phone_number: to }),
      template_id: access.templateIds[template][language],
      personalisation,
      reference,
    }),
    signal,
  })
  if (response.ok) {
    await response.body?.cancel()
    return 'sent'
  }
  const { errors = [] } = (await response.json().catch(() => ({}))) as { errors?: { error?: string }[] }
  // By their class only: a message may repeat the address.
  const why = `Notify answered ${response.status} ${errors.map(({ error = '' }) => error.replaceAll(/\W/g, '')).join(' ')}`.trim()
  // What is wrong with our key, our clock or the limit of the day is put right by somebody; what is wrong with the address is not.
  return { failed: response.status === 400 ? 'for-good' : 'for-now', why }
}

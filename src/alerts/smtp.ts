import { createTransport } from 'nodemailer'
import { type Channel, timeLimitMs } from './channel.ts'
import { fillIn } from './message-texts.ts'

/** E-mail by a mail server: `smtps://user:password@host`, or `smtp://` with STARTTLS where the server offers it. */
export function smtpChannel({ url, from }: { url: string; from: string }): Channel {
  const limits = { connectionTimeout: timeLimitMs, greetingTimeout: timeLimitMs, socketTimeout: timeLimitMs }
  const transport = createTransport({ url, ...limits, disableFileAccess: true, disableUrlAccess: true })
  const domain = from.slice(from.lastIndexOf('@') + 1).replace('>', '')
  return {
    kinds: ['email'],
    async send({ id, template, language, to, values }) {
      const { subject, body } = fillIn(template, language, values)
      try {
        await transport.sendMail({
          from,
          to: { name: '', address: to },
          subject,
          text: body,
          // The same for every try, so that a receiver who gets it twice can tell.
          messageId: `<${id}@${domain}>`,
          headers: { 'content-language': language, 'auto-submitted': 'auto-generated', 'x-auto-response-suppress': 'All' },
        })
        return 'sent'
      } catch (error) {
        const { code = 'no code', responseCode = 0 } = error as { code?: string; responseCode?: number }
        const isRecipientRefused = code === 'EENVELOPE' && responseCode >= 500 && responseCode < 600
        return {
          failed: isRecipientRefused ? 'for-good' : 'for-now',
          why: `The mail server did not take it (${code} ${responseCode}).`,
        }
      }
    },
  }
}

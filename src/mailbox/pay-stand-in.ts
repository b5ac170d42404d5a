import { randomBytes } from 'node:crypto'

/** How a payment at the stand-in can end. */
export type StandInEnd = 'success' | 'failed' | 'cancelled'

type Kept = {
  id: string
  /** Whose it is: the token that it was made with. */
  token: string
  amount: number
  reference: string
  description: string
  returnUrl: string
  state: { status: 'created' | StandInEnd; finished: boolean }
  createdAt: Date
}

/** Stands in for GOV.UK Pay in demo and tests: its API as far as we use it, with a page to pay or cancel. It forgets all when the program ends. */
export type PayStandIn = {
  /** Undefined where Pay would refuse it. */
  create: (token: string, body: unknown, now: Date) => Kept | undefined
  find: (id: string) => Kept | undefined
  /** Once: what has ended stays so. */
  end: (id: string, end: StandInEnd) => Kept | undefined
  /** A payment as the API tells of it. `pages` is where its page is. */
  tell: (payment: Kept, pages: string) => object
  /** What a webhook says of it. */
  message: (payment: Kept, pages: string, now: Date) => object
}

const paymentsMax = 1_000

export function buildPayStandIn(): PayStandIn {
  const payments = new Map<string, Kept>()
  const tell: PayStandIn['tell'] = ({ id, amount, reference, description, returnUrl, state, createdAt }, pages) => ({
    payment_id: id,
    amount,
    reference,
    description,
    return_url: returnUrl,
    state,
    payment_provider: 'sandbox',
    created_date: createdAt.toISOString(),
    _links: { next_url: state.finished ? null : { href: `${pages}/${id}`, method: 'GET' } },
  })
  return {
    create(token, body, now) {
      const { amount, reference, description, return_url: returnUrl } = (body ?? {}) as Record<string, unknown>
      const isGood =
        Number.isInteger(amount) &&
        [reference, description].every((text) => typeof text === 'string' && text.length > 0 && text.length <= 255) &&
        typeof returnUrl === 'string' &&
        URL.canParse(returnUrl)
      if (!isGood) return undefined
      const payment: Kept = {
        // As long as theirs.
        id: randomBytes(16).toString('base64url').toLowerCase().replaceAll(/[-_]/g, '0'),
        token,
        amount: amount as number,
        reference: reference as string,
        description: description as string,
        returnUrl,
        state: { status: 'created', finished: false },
        createdAt: now,
      }
      if (payments.size >= paymentsMax) payments.delete(payments.keys().next().value!)
      payments.set(payment.id, payment)
      return payment
    },
    find: (id) => payments.get(id),
    end(id, status) {
      const payment = payments.get(id)
      if (payment && !payment.state.finished) payment.state = { status, finished: true }
      return payment
    },
    tell,
    message: (payment, pages, now) => ({
      webhook_message_id: randomBytes(13).toString('hex'),
      api_version: 1,
      created_date: now.toISOString(),
      resource_id: payment.id,
      resource_type: 'payment',
      event_type: payment.state.status === 'success' ? 'card_payment_succeeded' : 'card_payment_failed',
      resource: tell(payment, pages),
    }),
  }
}

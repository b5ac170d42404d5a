/**
 * Every error that the API answers with, once (RFC 9457). `code` is stable and never reused; `advice` says what the sender's
 * system should do: `fix` (the request is wrong), `retry` (the same request may work later), `other-channel` (this recipient
 * cannot be reached here). `docs/problems.md` is made from this table (`npm run docs`).
 */
export const problems = {
  'body-invalid': [400, 'fix', 'The request does not fit its schema. Each field that does not is named.'],
  'not-json': [400, 'fix', 'The body is not JSON.'],
  'cursor-invalid': [400, 'fix', 'The cursor is not one that this API gave out.'],
  'service-needed': [400, 'fix', 'This client acts for several services: say which.'],
  'token-missing': [401, 'fix', 'An access token is needed: get one from /oauth/token and send it as a Bearer token.'],
  'token-invalid': [401, 'fix', 'The access token is not valid, or no longer: get a new one.'],
  'scope-missing': [403, 'fix', 'The access token does not hold the scope that this needs.'],
  'form-expired': [
    403,
    'fix',
    'The form is too old, or came from another site. Go back, load the page again and send it once more.',
  ],
  'access-ended': [403, 'fix', 'The access to the mailbox that was open has ended, or was changed.'],
  'mailbox-changed': [403, 'fix', 'The form was made while another mailbox was open. Nothing was sent.'],
  'grant-by-law': [403, 'fix', 'This access was entered by a registrar, and only a registrar or its holder can end it.'],
  'not-found': [404, 'fix', 'There is nothing here, or nothing that you may see.'],
  'service-not-found': [404, 'fix', 'There is no such service, or this client may not act for it.'],
  'changed-meanwhile': [409, 'fix', 'Somebody else has changed this since you read it. Read it again, then change it.'],
  'too-many-saved-searches': [409, 'fix', 'No more searches can be saved. Remove one first.'],
  'group-not-empty': [409, 'fix', 'There is something in the group. Move that first.'],
  'draft-changed': [409, 'fix', 'The draft was changed meanwhile, or is to be sent at a set time.'],
  'too-many-drafts': [409, 'fix', 'The mailbox has as many drafts as it can hold. Send or delete some.'],
  'reference-used': [409, 'fix', 'This reference was used before for a message with other content.'],
  'upload-offset-wrong': [409, 'fix', 'The upload has another length by now. Ask how much is there (HEAD), and go on from that.'],
  'batch-paused': [409, 'retry', 'The batch is paused. Send this again when it is resumed.'],
  'batch-open': [409, 'fix', 'The batch still takes letters. Close it first.'],
  'batch-over': [409, 'fix', 'The batch was closed or stopped. Open another one.'],
  'last-administrator': [409, 'fix', 'A business must have an administrator: let another one in first.'],
  'registration-not-possible': [409, 'fix', 'The registration of this mailbox cannot be changed in this way, or not any more.'],
  'action-not-possible': [409, 'fix', 'This cannot be done, or not any more. Load the page again to see what became of it.'],
  'action-not-yet': [409, 'fix', 'This cannot be done yet.'],
  'evidence-pending': [
    409,
    'retry',
    'The evidence is being sealed, and in the log and witnessed in some seconds. Ask again then.',
  ],
  'recall-too-late': [409, 'fix', 'The message has been opened, and cannot be recalled any more. Send a correction instead.'],
  'upload-version-unknown': [412, 'fix', 'Uploads are taken by version 1.0.0 of the tus protocol.'],
  'too-large': [413, 'fix', 'The message is larger than 25 MB, or than 500 MB with what was uploaded.'],
  'upload-too-large': [413, 'fix', 'The document is larger than may be uploaded here.'],
  'upload-longer': [
    413,
    'fix',
    'More came than the document was said to have. If the upload was not complete, it is gone: begin again.',
  ],
  'archive-too-large': [413, 'fix', 'The letters have more documents than one archive holds. Choose fewer.'],
  'line-too-long': [
    413,
    'fix',
    'A line of a batch has at most 4 MB. Upload its documents before, or send this letter by itself.',
  ],
  'media-type-unknown': [415, 'fix', 'Send the body as application/json, or as the description of this operation says.'],
  'available-from-too-late': [422, 'fix', 'A message can be kept for a year at most before it is available.'],
  'expires-too-early': [422, 'fix', 'A message cannot be out of date before it is available.'],
  'corrected-not-found': [422, 'fix', 'There is no message of this service, to this recipient, that could be replaced.'],
  'recipient-not-found': [422, 'other-channel', 'Nobody is known here by this identifier. Use another channel, such as paper.'],
  'recipient-exempt': [422, 'other-channel', 'This recipient is exempt from digital post. Use another channel, such as paper.'],
  'recipient-closed': [422, 'other-channel', 'This recipient’s mailbox is closed. Use another channel, if any.'],
  'recipient-not-yet': [
    422,
    'other-channel',
    'This business was registered so lately that it cannot be reached here yet. Use another channel, such as paper.',
  ],
  'consent-missing': [
    422,
    'other-channel',
    'This recipient has not consented to this category of post. Use another channel, such as paper.',
  ],
  'category-not-found': [422, 'fix', 'There is no such category of post in this installation.'],
  'contact-closed': [422, 'fix', 'Messages are no longer taken at this contact point.'],
  'identifier-invalid': [422, 'fix', 'The identifier does not have the form of its scheme, or its check digit is wrong.'],
  'recipient-needed': [422, 'fix', 'Name a recipient, or the message that this one answers.'],
  'answered-not-found': [422, 'fix', 'The message to answer does not exist, or is not in this mailbox.'],
  'reply-not-allowed': [422, 'fix', 'The sender does not take an answer to this message.'],
  'reply-too-late': [422, 'fix', 'The time for an answer to this message has passed.'],
  'language-repeated': [422, 'fix', 'Each language may come once in the content.'],
  'main-document-repeated': [422, 'fix', 'A message has at most one main document.'],
  'too-many-files': [422, 'fix', 'There are more files than may go with a message.'],
  'file-protected': [422, 'fix', 'The file is protected by a password.'],
  'file-empty': [422, 'fix', 'The file is empty.'],
  'file-name-not-allowed': [422, 'fix', 'The file name has a folder in it, or a character that is not allowed in a file name.'],
  'file-type-not-allowed': [422, 'fix', 'Files of this media type are not taken.'],
  'file-type-mismatch': [422, 'fix', 'The file is not what its media type or the ending of its name says.'],
  'upload-not-found': [422, 'fix', 'There is no such upload of this service, or it is not complete.'],
  'upload-digest-wrong': [
    422,
    'fix',
    'What came has another SHA-256 than the document was said to have. The upload is gone: begin again.',
  ],
  'action-not-valid': [422, 'fix', 'An action lacks what its kind needs, or has what does not fit. Each field is named.'],
  'action-address-not-allowed': [
    422,
    'fix',
    'The address of an action begins with https:// and leads to a site that your organisation has registered.',
  ],
  'action-address-personal': [
    422,
    'fix',
    'The address of an action holds an e-mail address, a National Insurance number or the recipient’s identifier. Addresses are seen by others.',
  ],
  'payments-not-set-up': [
    422,
    'fix',
    'Your service has no GOV.UK Pay account here. Add it, or give the address of a payment page.',
  ],
  'host-not-allowed': [422, 'fix', 'This is not the name of a site, such as www.gov.uk.'],
  'pay-token-not-valid': [422, 'fix', 'This is not a token or a secret of GOV.UK Pay.'],
  'grant-to-oneself': [422, 'fix', 'Nobody can give access to themselves, or change their own.'],
  'grant-in-circle': [422, 'fix', 'The one who gives access may open, through others, the mailbox of the one who gets it.'],
  'grant-over': [422, 'fix', 'The access would end before it begins.'],
  'grant-not-possible': [
    422,
    'fix',
    'Such access cannot be given here: it is more than the mailbox has, or not of a kind that its owner gives.',
  ],
  'grant-incomplete': [422, 'fix', 'What is needed to enter or to end this access is missing.'],
  'webhook-address-not-allowed': [
    422,
    'fix',
    'The address of a webhook begins with https:// and leads to where everybody can reach it; its name must be known now.',
  ],
  'mailbox-closed': [422, 'fix', 'The mailbox is closed.'],
  'invitation-not-valid': [422, 'fix', 'No invitation has this code, or it was used, taken back, or is too old.'],
  'too-many-attempts': [429, 'retry', 'Too many tries: wait an hour.'],
  'too-many-requests': [429, 'retry', 'Too many requests. Wait a minute.'],
  'too-many-lookups': [429, 'retry', 'Your service has asked for more recipients than it may. Wait as long as Retry-After says.'],
  'urgent-not-allowed': [
    403,
    'fix',
    'Your service may not send letters in the lane urgent. Send this without it, or have the registry say that it may.',
  ],
  'too-many-letters': [429, 'retry', 'Your service sends faster than it may. Wait as long as Retry-After says.'],
  'letters-of-day-used': [
    429,
    'retry',
    'Your service has sent as many letters as it may in a day (UTC), or as many of them in bulk. Send this again tomorrow.',
  ],
  failed: [500, 'retry', 'Something went wrong here. Try again; sending the same reference again never makes a second message.'],
  busy: [503, 'retry', 'More is waiting here than can be done at once. Try again in a second.'],
  unavailable: [503, 'retry', 'The service cannot do this just now. Try again shortly.'],
} as const satisfies Record<string, readonly [status: number, advice: 'fix' | 'retry' | 'other-channel', sentence: string]>

export type ProblemCode = keyof typeof problems

/** What can be wrong with one field of a request, as the API says it; a rule of its schema by its keyword. Pages have words of their own for each. */
const fieldFaults = {
  needed: 'This is needed.',
  unknown: 'There is no such field.',
  'type-string': 'This must be text, in quotation marks.',
  'type-number': 'This must be a number.',
  'type-integer': 'This must be a whole number.',
  'type-boolean': 'This must be true or false.',
  'type-array': 'This must be a list.',
  'type-object': 'This must be an object.',
  enum: 'This must be {allowed}.',
  pattern: 'This has a form or a character that is not allowed here.',
  'format-base64': 'This must be base64 with padding (RFC 4648 section 4).',
  'format-uuid': 'This must be a UUID.',
  'format-date': 'This must be a date such as 2026-11-23.',
  'format-date-time': 'This must be a date and time such as 2026-11-23T10:00:00Z (RFC 3339).',
  'format-uri': 'This must be an address such as https://service.example/pay.',
  oneOf: 'This must be given in one of its ways, and in one only.',
  empty: 'This must not be empty.',
  minLength: 'This must have {limit} characters or more.',
  maxLength: 'This must have {limit} characters or fewer.',
  minItems: 'This must have {limit} entries or more.',
  maxItems: 'This must have {limit} entries or fewer.',
  minimum: 'This must be {limit} or more.',
  maximum: 'This must be {limit} or less.',
  uniqueItems: 'This must not have the same entry twice.',
  'identifier-empty': 'This is empty.',
  'identifier-form': 'This does not have the form of a {scheme}.',
  'identifier-check-digit': 'The check digit of this {scheme} is wrong.',
  'action-url-needed': 'This kind of action needs an address.',
  'action-booking-needed': 'Give an appointment, or an address to book at.',
  'action-appointment-unfit': 'Only an action of the kind book has an appointment.',
  'action-amount-needed': 'Give an amount, or the address to pay at.',
  'action-amount-unfit': 'Only an action of the kind pay has an amount.',
  'action-reference-needed': 'A payment that is made here needs a reference.',
  'action-reference-unfit': 'Only an action of the kind pay has a reference.',
  'action-reference-address': 'A reference holds no web address.',
  'action-appointment-order': 'It ends after it begins.',
  'action-until-order': 'It is after `from`.',
  'action-document-unknown': 'The message has no such document.',
} as const satisfies Record<string, string>

type FieldFaultCode = keyof typeof fieldFaults
type OfLimit = 'minLength' | 'maxLength' | 'minItems' | 'maxItems' | 'minimum' | 'maximum'
type OfScheme = 'identifier-form' | 'identifier-check-digit'
export type PlainFaultCode = Exclude<FieldFaultCode, OfLimit | OfScheme | 'enum'>

/** One thing that is wrong with a field. It repeats nothing of what stands there: `allowed` and `limit` are its schema's. */
export type FieldFault =
  | { code: PlainFaultCode }
  | { code: OfLimit; limit: number }
  | { code: 'enum'; allowed: readonly string[] }
  | { code: OfScheme; scheme: string }
  /** A problem of the whole that lies in this field. */
  | { code: ProblemCode }

export function isFieldFault(code: string): code is FieldFaultCode {
  return Object.hasOwn(fieldFaults, code)
}

const either = new Intl.ListFormat('en-GB', { type: 'disjunction' })

export function faultInEnglish({ code, ...values }: FieldFault): string {
  if (!isFieldFault(code)) return problems[code][2]
  return fieldFaults[code].replace(/\{(\w+)\}/, (_, gap) => {
    const value = (values as Record<string, unknown>)[gap]
    return Array.isArray(value) ? either.format(value) : String(value)
  })
}

/**
 * What is wrong with one field of a request: a JSON pointer, and a sentence. `fault` says the same for pages in any language, where a page may
 * show it: with lines of a batch it is kept.
 */
export type FieldProblem = { field: string; message: string; fault?: FieldFault }

export function wrongField(field: string, fault: FieldFault): FieldProblem {
  return { field, message: faultInEnglish(fault), fault }
}

/** Thrown, or given as the outcome of one of many. */
export class Problem extends Error {
  readonly code: ProblemCode
  readonly fields: readonly FieldProblem[] | undefined
  constructor(code: ProblemCode, fields?: readonly FieldProblem[]) {
    super(problems[code][2])
    this.code = code
    this.fields = fields
  }
  get status(): number {
    return problems[this.code][0]
  }
  /** The fields, as the API names them. */
  get errors(): { field: string; message: string }[] | undefined {
    return this.fields?.map(({ field, message }) => ({ field, message }))
  }
  /** The problem document of RFC 9457. It repeats nothing of the request but the names of fields. */
  toJSON() {
    const [status, advice, detail] = problems[this.code]
    return { type: `urn:digital-post:problem:${this.code}`, title: detail, status, code: this.code, advice, errors: this.errors }
  }
}

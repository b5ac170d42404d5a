import { type Caller, persons, registrars, staff, systems } from './callers.ts'
import type { Kind } from './things.ts'

/**
 * What becomes of a request, as far as it is about who may. `ok`: it was let in, whatever came of it then. `elsewhere`: it was
 * sent to the page of the other kind of mailbox. The others are refusals.
 */
export type Outcome = 'ok' | 'elsewhere' | 'sign-in' | 'unauthorised' | 'denied' | 'missing' | 'failed'

/*
 * Who may do what, by door. `+` may, as far as what is asked for is theirs; `-` is told that they may not; to `0` it is not there; `~` is sent to the
 * page of the other kind of mailbox. Whoever has no column comes to the wrong door, and is sent to sign in, or (API) told that
 * a token is needed. This is written down once more here, and not taken from src/access/rights.ts: two who say the same.
 */
const doors = {
  person: {
    callers: persons,
    otherwise: 'sign-in',
    //                   rosa arthur reader writer limited narrow ended employee adviser administrator colleague leaver
    rows: {
      'is signed in': '+    +      +      +      +       +      -     +        +       +             +         -',
      'reads post': '+    +      +      +      +       +      -     +        +       -             +         -',
      erases: '+    +      -      -      -       -      -     -        -       -             -         -',
      'changes folders': '+    +      +      +      -       -      -     +        -       -             -         -',
      'writes post': '+    +      -      +      +       -      -     +        +       -             -         -',
      'keeps a calendar': '+    +      -      -      -       -      -     -        -       -             -         -',
      'sees looks': '+    +      +      +      +       +      -     +        +       +             +         -',
      'has helpers': '+    +      -      -      -       -      -     -        -       ~             -         -',
      'has people': '~    ~      -      -      -       -      -     -        -       +             -         -',
      'changes people': '+    +      -      -      -       -      -     -        -       +             -         -',
      'owns it': '+    +      -      -      -       -      -     -        -       -             -         -',
      'answers for it': '+    +      -      -      -       -      -     -        -       +             -         -',
    },
  },
  department: {
    callers: staff,
    otherwise: 'sign-in',
    //                   staff clerk parkingStaff pensionStaff
    rows: {
      'works here': '+     +     +            +',
      'writes letters': '+     -     +            +',
      'manages contacts': '+     -     +            +',
      'manages systems': '+     -     +            +',
      // What somebody may decide depends on what it is: to whom nothing is given to decide, nothing is there.
      decides: '+     0     +            +',
      'manages staff': '+     -     +            +',
      'reads the log': '+     -     +            +',
    },
  },
  api: {
    callers: systems,
    otherwise: 'unauthorised',
    //                   system parkingSystem pensionSystem lookupSystem
    rows: {
      'handles messages': '+      +             +             -',
      'asks for people': '+      +             +             +',
    },
  },
  registrar: {
    callers: registrars,
    otherwise: 'sign-in',
    //                   registrar otherRegistrar
    rows: {
      'keeps the register': '+     +',
    },
  },
} as const

type Rows<Door> = Door extends { rows: infer R } ? keyof R : never
export type Who = Rows<(typeof doors)[keyof typeof doors]>

const outcomes: Record<string, Outcome> = { '+': 'ok', '-': 'denied', '0': 'missing', '~': 'elsewhere' }

/** What becomes of somebody who asks, before it matters for what. */
export function judgeCaller(who: Who, caller: Caller): Outcome {
  for (const { callers, otherwise, rows } of Object.values(doors)) {
    const row = (rows as Record<string, string>)[who]
    if (row === undefined) continue
    const place = (callers as readonly Caller[]).indexOf(caller)
    return place < 0 ? otherwise : outcomes[row.split(/ +/)[place]!]!
  }
  throw new Error(`Nothing is said of who "${who}" is.`)
}

export type Expectation =
  /** For everybody: asked only for what it must not show. */
  | 'public'
  /** Belongs to the stand-in for another’s provider, which has no part of ours. */
  | 'stand-in'
  | {
      who: Who
      /** What its address or its form names, or nothing. */
      what?: Kind
      /** What somebody gets for whom that is not there; otherwise `missing`. `empty`: an answer with nothing in it, the same as for what nobody has. */
      hidden?: Outcome | 'empty'
      /** How its form is sent: otherwise as fields. */
      as?: 'multipart' | 'json' | 'lines' | 'bytes'
      /** What every request holds. */
      body?: Record<string, unknown>
      /** What who is not signed in gets, where it is not to sign in. */
      signedOut?: Outcome
      /** Changes what others are asked about, and so comes after all the others, in this turn. */
      changes?: 1 | 2
    }

const upload = { as: 'multipart' } as const

const citizen: Record<string, Expectation> = {
  'GET /': 'public',
  'GET /inbox': { who: 'reads post', what: 'page of the inbox' },
  'GET /folders': { who: 'reads post' },
  'GET /folders/:folder': { who: 'reads post', what: 'folder' },
  'GET /folders/new': { who: 'changes folders' },
  'POST /folders/new': { who: 'changes folders' },
  'GET /folders/:folder/change': { who: 'changes folders', what: 'own folder' },
  'POST /folders/:folder/change': { who: 'changes folders', what: 'own folder' },
  'GET /folders/:folder/delete': { who: 'changes folders', what: 'own folder' },
  'POST /folders/:folder/delete': { who: 'changes folders', what: 'folder to delete', changes: 1 },
  'POST /filing': { who: 'reads post', what: 'letter to file' },
  'POST /filing/undo': { who: 'reads post', what: 'filing' },
  'GET /filing/erase': { who: 'erases' },
  'POST /filing/erase': { who: 'erases' },
  'GET /letters/:id/note': { who: 'reads post', what: 'received' },
  'POST /letters/:id/note': { who: 'reads post', what: 'letter to note on' },
  'GET /live': { who: 'reads post', what: 'state', signedOut: 'unauthorised' },
  'GET /more': { who: 'is signed in' },
  'GET /shortcuts': { who: 'is signed in' },
  'GET /letters/:id': { who: 'reads post', what: 'received' },
  'GET /letters/:id/documents/:fileId': { who: 'reads post', what: 'file' },
  'GET /letters/:id/files/:fileId': { who: 'reads post', what: 'file' },
  'GET /letters/:id/proof': { who: 'reads post', what: 'received' },
  'GET /letters/:id/proof/:evidenceId': { who: 'reads post', what: 'receipt received' },
  'GET /letters/:id/proof/texts/:language': { who: 'reads post', what: 'text received' },
  'GET /letters/:id/print': { who: 'reads post', what: 'either' },
  'GET /letters/:id/archive': { who: 'reads post', what: 'either' },
  'POST /letters/archive': { who: 'reads post', what: 'letter to take away' },
  'GET /letters/:id/answer': { who: 'writes post', what: 'received' },
  'POST /letters/:id/answer': { who: 'writes post', what: 'received', ...upload },
  'GET /to-do': { who: 'reads post' },
  'GET /to-do/calendar': { who: 'keeps a calendar' },
  'POST /to-do/calendar': { who: 'keeps a calendar', changes: 1 },
  'POST /to-do/calendar/remove': { who: 'keeps a calendar', changes: 2 },
  'GET /to-do/:id/:actionId': { who: 'reads post', what: 'action' },
  'POST /to-do/:id/:actionId': { who: 'writes post', what: 'action', changes: 1 },
  'GET /to-do/:id/:actionId/go': { who: 'reads post', what: 'action' },
  'GET /to-do/:id/:actionId/appointment.ics': { who: 'reads post', what: 'action' },
  'POST /to-do/:id/:actionId/pay': { who: 'writes post', what: 'action' },
  'GET /to-do/:id/:actionId/returned': { who: 'reads post', what: 'action' },
  'GET /letters/:id/forward': { who: 'writes post', what: 'received' },
  'POST /letters/:id/forward': { who: 'writes post', what: 'received' },
  'GET /drafts': { who: 'writes post' },
  'GET /drafts/:id': { who: 'writes post', what: 'draft' },
  'POST /drafts/:id': { who: 'writes post', what: 'draft', ...upload },
  'GET /drafts/:id/files/:fileId': { who: 'writes post', what: 'file of a draft' },
  'GET /drafts/:id/check': { who: 'writes post', what: 'forwarded draft' },
  'POST /drafts/:id/check': { who: 'writes post', what: 'forwarded draft' },
  'POST /drafts/:id/stop': { who: 'writes post', what: 'draft' },
  'GET /drafts/:id/delete': { who: 'writes post', what: 'draft' },
  'POST /drafts/:id/delete': { who: 'writes post', what: 'draft to delete', changes: 1 },
  'GET /kept-form': { who: 'is signed in' },
  'POST /kept-form': { who: 'is signed in' },
  'GET /write': { who: 'writes post', what: 'search for a place' },
  'GET /write/:organisation': { who: 'writes post', what: 'public body to write to' },
  'GET /write/:organisation/groups/:group': { who: 'writes post', what: 'group to write in' },
  'GET /write/:organisation/:point': { who: 'writes post', what: 'place to write to' },
  'POST /write/:organisation/:point': { who: 'writes post', what: 'place to write to', ...upload },
  'GET /sent': { who: 'reads post', what: 'page of what was sent' },
  'GET /sent/:id': { who: 'reads post', what: 'sent' },
  'GET /sent/:id/proof': { who: 'reads post', what: 'sent' },
  'GET /sent/:id/proof/:evidenceId': { who: 'reads post', what: 'receipt sent' },
  'GET /sent/:id/proof/texts/:language': { who: 'reads post', what: 'text sent' },
  'GET /sent/:id/confirmation': { who: 'reads post', what: 'sent' },
  'GET /search': { who: 'reads post', what: 'words to search for' },
  'POST /searches': { who: 'reads post', body: { q: 'bill', name: 'Bills' } },
  'POST /searches/:id/delete': { who: 'reads post', what: 'saved search' },
  'POST /search/open': { who: 'is signed in', what: 'letter in another mailbox', changes: 1 },
  'GET /looks': { who: 'sees looks', what: 'page of looks' },
  'GET /looks/others': { who: 'sees looks', what: 'page of others’ looks' },
  'GET /my-details': { who: 'is signed in' },
  'GET /my-details/download': { who: 'owns it' },
  'POST /my-details/download': { who: 'owns it', what: 'part of everything' },
  'GET /my-details/name': { who: 'is signed in' },
  'GET /my-details/language': { who: 'is signed in' },
  'POST /my-details/language': { who: 'is signed in' },
  'GET /my-details/contact': { who: 'is signed in' },
  'GET /my-details/contact/add/:kind': { who: 'is signed in', what: 'kind of contact detail' },
  'POST /my-details/contact/add/:kind': { who: 'is signed in', what: 'kind of contact detail' },
  'GET /my-details/contact/:id/code': { who: 'is signed in', what: 'contact detail' },
  'POST /my-details/contact/:id/code': { who: 'is signed in', what: 'contact detail' },
  'POST /my-details/contact/:id/resend': { who: 'is signed in', what: 'contact detail' },
  'POST /my-details/contact/:id/still-right': { who: 'is signed in', what: 'contact detail confirmed' },
  'GET /my-details/contact/:id/remove': { who: 'is signed in', what: 'contact detail' },
  'POST /my-details/contact/:id/remove': { who: 'is signed in', what: 'contact detail', changes: 1 },
  'GET /my-details/devices': { who: 'is signed in' },
  // In this order: who asks is signed out elsewhere by the second.
  'POST /my-details/devices/:id/sign-out': { who: 'is signed in', what: 'session' },
  'POST /my-details/devices/sign-out-others': { who: 'is signed in' },
  'GET /welcome': { who: 'is signed in' },
  'POST /welcome': { who: 'is signed in' },
  'GET /mailboxes': { who: 'is signed in' },
  'POST /mailboxes/open': { who: 'is signed in', what: 'mailbox to open', changes: 1 },
  'GET /helpers': { who: 'has helpers' },
  'GET /helpers/add': { who: 'has helpers' },
  'POST /helpers/add': { who: 'has helpers' },
  'GET /helpers/:id': { who: 'has helpers', what: 'grant given' },
  'POST /helpers/:id/end': { who: 'has helpers', what: 'grant given', changes: 2 },
  'GET /helpers/:id/document': { who: 'has helpers', what: 'document of a grant given' },
  'GET /helping': { who: 'is signed in' },
  'POST /helping': { who: 'is signed in' },
  'GET /helping/offers/:id': { who: 'is signed in', what: 'grant offered' },
  'POST /helping/offers/:id': { who: 'is signed in', what: 'grant offered' },
  'GET /helping/:id': { who: 'is signed in', what: 'grant held' },
  'POST /helping/:id/end': { who: 'is signed in', what: 'grant held', changes: 1 },
  'GET /people': { who: 'has people' },
  'GET /people/add': { who: 'has people' },
  'POST /people/add': { who: 'has people' },
  'GET /people/:id': { who: 'has people', what: 'grant given' },
  'POST /people/:id/end': { who: 'has people', what: 'grant given', changes: 2 },
  'GET /people/:id/document': { who: 'has people', what: 'document of a grant given' },
  'GET /people/:id/change': { who: 'changes people', what: 'grant to change' },
  'POST /people/:id/change': { who: 'changes people', what: 'grant to change' },
  'GET /people/lost': { who: 'is signed in' },
  'GET /linked-services': { who: 'answers for it' },
  'GET /linked-services/link/:slug': { who: 'answers for it', what: 'service to link' },
  'POST /linked-services/link/:slug': { who: 'answers for it', what: 'service to link' },
  'GET /linked-services/answers/:code': { who: 'answers for it', what: 'link to confirm', hidden: 'denied' },
  'POST /linked-services/answers/:code': { who: 'answers for it', what: 'link to confirm', hidden: 'denied' },
  'POST /linked-services/answers/:code/join': { who: 'answers for it', what: 'link to confirm', hidden: 'denied' },
  'GET /linked-services/unlink/:id': { who: 'answers for it', what: 'link' },
  'POST /linked-services/unlink/:id': { who: 'answers for it', what: 'link', changes: 1 },
  'GET /registration': { who: 'answers for it' },
  'GET /registration/exempt': { who: 'answers for it' },
  'POST /registration/exempt': { who: 'answers for it', what: 'registration of one’s own', changes: 1 },
  'GET /registration/join': { who: 'answers for it' },
  'POST /registration/join': { who: 'answers for it', changes: 1 },
  'POST /registration/consents/:category': { who: 'answers for it', what: 'consent' },
  'POST /registration/consents/:category/withdraw': { who: 'answers for it', what: 'consent to withdraw' },
}

const department: Record<string, Expectation> = {
  'GET /department': { who: 'works here', what: 'page of the department’s inbox' },
  'GET /department/messages/:id': { who: 'works here', what: 'either' },
  'GET /department/messages/:id/confirmation': { who: 'works here', what: 'sent' },
  'GET /department/messages/:id/proof': { who: 'works here', what: 'either' },
  'GET /department/messages/:id/proof/:evidenceId': { who: 'works here', what: 'receipt' },
  'GET /department/messages/:id/proof/texts/:language': { who: 'works here', what: 'text' },
  'GET /department/messages/:id/documents/:fileId': { who: 'works here', what: 'file' },
  'GET /department/messages/:id/files/:fileId': { who: 'works here', what: 'file' },
  'GET /department/messages/:id/answer': { who: 'writes letters', what: 'received' },
  'POST /department/messages/:id/answer': { who: 'writes letters', what: 'received', ...upload },
  'GET /department/messages/:id/recall': { who: 'writes letters', what: 'sent' },
  'POST /department/messages/:id/recall': { who: 'writes letters', what: 'sent', body: { reason: 'A mistake' }, changes: 2 },
  'GET /department/write': { who: 'writes letters' },
  'POST /department/write': { who: 'writes letters', ...upload },
  'GET /department/staff': { who: 'manages staff' },
  'GET /department/staff/add': { who: 'manages staff' },
  'POST /department/staff/add': { who: 'manages staff' },
  'GET /department/staff/:id': { who: 'manages staff', what: 'member of staff' },
  'POST /department/staff/:id/active': { who: 'manages staff', what: 'member of staff to deactivate' },
  'POST /department/staff/:id': { who: 'manages staff', what: 'member of staff', changes: 1 },
  'GET /department/systems': { who: 'manages systems' },
  'GET /department/systems/register': { who: 'manages systems' },
  'POST /department/systems/register': { who: 'manages systems' },
  'GET /department/systems/:id': { who: 'manages systems', what: 'system' },
  'POST /department/systems/:id/switch': { who: 'manages systems', what: 'system' },
  'GET /department/systems/:id/keys/add': { who: 'manages systems', what: 'system' },
  'POST /department/systems/:id/keys/add': { who: 'manages systems', what: 'system' },
  'GET /department/systems/:id/keys/:thumbprint/remove': { who: 'manages systems', what: 'key of a system' },
  'POST /department/systems/:id/keys/:thumbprint/remove': { who: 'manages systems', what: 'key of a system' },
  'GET /department/webhooks': { who: 'manages systems' },
  'GET /department/webhooks/:service': { who: 'manages systems', what: 'webhook of a service' },
  'POST /department/webhooks/:service': { who: 'manages systems', what: 'webhook of a service', changes: 1 },
  'POST /department/webhooks/:service/secret': { who: 'manages systems', what: 'webhook of a service', changes: 1 },
  'POST /department/webhooks/:service/switch': { who: 'manages systems', what: 'webhook of a service', changes: 1 },
  'POST /department/webhooks/:service/replay': { who: 'manages systems', what: 'webhook of a service', changes: 2 },
  'POST /department/webhooks/:service/remove': { who: 'manages systems', what: 'webhook of a service', changes: 2 },
  'GET /department/sites': { who: 'manages systems' },
  'POST /department/sites': { who: 'manages systems' },
  'POST /department/sites/remove': { who: 'manages systems', changes: 2 },
  'GET /department/payments': { who: 'manages systems' },
  'GET /department/payments/:service': { who: 'manages systems', what: 'webhook of a service' },
  'POST /department/payments/:service': { who: 'manages systems', what: 'webhook of a service', changes: 1 },
  'POST /department/payments/:service/remove': { who: 'manages systems', what: 'webhook of a service', changes: 2 },
  'GET /department/reconciliation': { who: 'works here' },
  'GET /department/reconciliation/:service': { who: 'works here', what: 'letters of a service' },
  'GET /department/reconciliation/:service/days.csv': { who: 'works here', what: 'days of a service' },
  'GET /department/reconciliation/:service/late.csv': { who: 'works here', what: 'days of a service' },
  'GET /department/templates': { who: 'works here' },
  'GET /department/templates/new': { who: 'writes letters' },
  'POST /department/templates/new': { who: 'writes letters' },
  'GET /department/templates/:id': { who: 'works here', what: 'template read' },
  'GET /department/templates/:id/versions/:version': { who: 'works here', what: 'template read' },
  'GET /department/templates/:id/history': { who: 'works here', what: 'template read' },
  'GET /department/templates/:id/edit': { who: 'writes letters', what: 'template written' },
  'POST /department/templates/:id/edit': { who: 'writes letters', what: 'template written' },
  'POST /department/templates/:id/archive': { who: 'writes letters', what: 'template written', changes: 2 },
  'GET /department/mailings': { who: 'works here' },
  'GET /department/mailings/new': { who: 'writes letters' },
  'POST /department/mailings/new': { who: 'writes letters' },
  'GET /department/mailings/:id': { who: 'works here', what: 'mailing read' },
  'GET /department/mailings/:id/columns.csv': { who: 'works here', what: 'mailing read' },
  'GET /department/mailings/:id/errors.csv': { who: 'works here', what: 'mailing read' },
  'GET /department/mailings/:id/paper.csv': { who: 'works here', what: 'mailing read' },
  'GET /department/mailings/:id/unsent.csv': { who: 'works here', what: 'mailing read' },
  'POST /department/mailings/:id/file': { who: 'writes letters', what: 'mailing written', ...upload },
  'POST /department/mailings/:id/send': { who: 'writes letters', what: 'mailing written' },
  'POST /department/mailings/:id/take-over': { who: 'writes letters', what: 'mailing written', changes: 1 },
  'POST /department/mailings/:id/delete': { who: 'writes letters', what: 'mailing written', changes: 2 },
  'GET /department/batches': { who: 'works here' },
  'GET /department/batches/:id': { who: 'works here', what: 'batch read' },
  'GET /department/batches/:id/errors.csv': { who: 'works here', what: 'batch read' },
  'POST /department/batches/:id': { who: 'writes letters', what: 'batch written', changes: 1 },
  'GET /department/batches/:id/sample': { who: 'works here', what: 'batch read' },
  'GET /department/batches/:id/release': { who: 'writes letters', what: 'batch written' },
  'POST /department/batches/:id/release': { who: 'writes letters', what: 'batch written', changes: 1 },
  'GET /department/batches/:id/recall': { who: 'writes letters', what: 'batch written' },
  'POST /department/batches/:id/recall': {
    who: 'writes letters',
    what: 'batch written',
    body: { reason: 'A mistake' },
    changes: 2,
  },
  'GET /department/approvals': { who: 'manages systems' },
  'GET /department/approvals/:id': { who: 'decides', what: 'approval' },
  'POST /department/approvals/:id': { who: 'decides', what: 'approval', changes: 1 },
  'GET /department/logs': { who: 'reads the log', what: 'log' },
  'GET /department/contact-points': { who: 'manages contacts' },
  'GET /department/contact-points/new': { who: 'manages contacts' },
  'POST /department/contact-points/new': { who: 'manages contacts' },
  'GET /department/contact-points/:id': { who: 'manages contacts', what: 'contact point' },
  'POST /department/contact-points/:id': { who: 'manages contacts', what: 'contact point' },
  'GET /department/contact-points/groups/new': { who: 'manages contacts' },
  'POST /department/contact-points/groups/new': { who: 'manages contacts' },
  'GET /department/contact-points/groups/:id': { who: 'manages contacts', what: 'contact group' },
  'POST /department/contact-points/groups/:id': { who: 'manages contacts', what: 'contact group' },
  'POST /department/contact-points/groups/:id/delete': { who: 'manages contacts', what: 'contact group' },
}

const toLoopback = { url: 'https://127.0.0.1/events' }
const toNobody = { recipients: [{ scheme: 'link', value: 'CT-0' }] }
const letterToNobody = {
  reference: 'to nobody',
  recipient: { scheme: 'link', value: 'CT-0' },
  subject: 'To nobody',
  content: [{ language: 'en', body: 'Nobody reads this.' }],
}

const api: Record<string, Expectation> = {
  'POST /v1/messages': { who: 'handles messages', what: 'service written for', as: 'json', body: letterToNobody },
  'GET /v1/messages/:id': { who: 'handles messages', what: 'sent' },
  'POST /v1/messages/:id/recall': {
    who: 'handles messages',
    what: 'sent',
    as: 'json',
    body: { reason: 'A mistake' },
    changes: 2,
  },
  'GET /v1/messages/:id/evidence': { who: 'handles messages', what: 'sent' },
  'GET /v1/messages/:id/evidence/:evidenceId': { who: 'handles messages', what: 'receipt sent' },
  'GET /v1/messages': { who: 'handles messages', what: 'reference', hidden: 'empty' },
  'GET /v1/events': { who: 'handles messages', what: 'service asked for' },
  'GET /v1/webhook': { who: 'handles messages', what: 'service asked for' },
  'PUT /v1/webhook': { who: 'handles messages', what: 'service asked for', as: 'json', body: toLoopback, changes: 1 },
  'DELETE /v1/webhook': { who: 'handles messages', what: 'service asked for', changes: 2 },
  'GET /v1/webhook/deliveries': { who: 'handles messages', what: 'service asked for' },
  'POST /v1/webhook/deliveries/:id/replay': { who: 'handles messages', what: 'dead delivery', as: 'json', body: {}, changes: 1 },
  'POST /v1/uploads': {
    who: 'handles messages',
    what: 'service written for',
    as: 'json',
    body: { mediaType: 'text/plain', size: 1 },
  },
  'GET /v1/uploads/:id': { who: 'handles messages', what: 'upload' },
  'PATCH /v1/uploads/:id': { who: 'handles messages', what: 'upload', as: 'bytes', changes: 1 },
  'PUT /v1/batches/:reference': { who: 'handles messages', what: 'batch to begin', as: 'json', body: { name: 'A batch' } },
  'GET /v1/batches': { who: 'handles messages', what: 'service asked for' },
  'GET /v1/batches/:id': { who: 'handles messages', what: 'batch read' },
  'GET /v1/batches/:id/errors': { who: 'handles messages', what: 'batch read' },
  'PATCH /v1/batches/:id': { who: 'handles messages', what: 'batch written', as: 'json', body: { change: 'pause' }, changes: 1 },
  'POST /v1/batches/:id/messages': { who: 'handles messages', what: 'batch written', as: 'lines', body: letterToNobody },
  'GET /v1/reconciliation': { who: 'handles messages', what: 'days asked for' },
  'GET /v1/inbox': { who: 'handles messages', what: 'service asked for' },
  'GET /v1/inbox/:id': { who: 'handles messages', what: 'received' },
  'GET /v1/inbox/:id/files/:fileId': { who: 'handles messages', what: 'file' },
  'POST /v1/inbox/:id/receipt': { who: 'handles messages', what: 'received', as: 'json', body: {}, changes: 1 },
  'GET /v1/recipients/changes': { who: 'asks for people', what: 'service asked for' },
  'POST /v1/recipients/lookup': { who: 'asks for people', what: 'service written for', as: 'json', body: toNobody },
}

const keeping = { who: 'keeps the register' } as const

const registrar: Record<string, Expectation> = {
  'GET /registrar': keeping,
  'POST /registrar': { ...keeping, ...upload },
  'GET /registrar/businesses': keeping,
  'POST /registrar/businesses': { ...keeping, ...upload },
  'GET /registrar/numbers': keeping,
  'POST /registrar/numbers': { ...keeping, ...upload },
  'GET /registrar/searches/:id': { ...keeping, what: 'search' },
  'POST /registrar/searches/:id': { ...keeping, what: 'search', ...upload },
  'GET /registrar/records/:id': { ...keeping, what: 'record of a person' },
  'GET /registrar/records/:id/grants/:grantId/document': { ...keeping, what: 'document of a recorded grant' },
  'GET /registrar/records/:id/registration/:action': { ...keeping, what: 'registration of a record' },
  'POST /registrar/records/:id/registration/:action': { ...keeping, what: 'registration of a record', ...upload },
  'GET /registrar/records/:id/grants/new': { ...keeping, what: 'record of a person' },
  'POST /registrar/records/:id/grants/new': { ...keeping, what: 'record of a person', ...upload },
  'GET /registrar/records/:id/grants/:grantId/end': { ...keeping, what: 'recorded grant' },
  'POST /registrar/records/:id/grants/:grantId/end': { ...keeping, what: 'recorded grant', ...upload },
  'GET /registrar/records/:id/administrator': { ...keeping, what: 'record of a business' },
  'POST /registrar/records/:id/administrator': { ...keeping, what: 'record of a business', ...upload },
  'GET /registrar/records/:id/merge': { ...keeping, what: 'record of a twin' },
  'POST /registrar/records/:id/merge': { ...keeping, what: 'record of a twin', ...upload },
  'GET /registrar/merges': keeping,
  'GET /registrar/merges/:id': { ...keeping, what: 'merge' },
  'POST /registrar/merges/:id': { ...keeping, what: 'merge', ...upload },
  'GET /registrar/businesses/new': keeping,
  'POST /registrar/businesses/new': { ...keeping, ...upload },
  'GET /registrar/log': { ...keeping, what: 'page of the registrars’ log' },
}

/** Before anybody has signed in, and what other programs ask of ours. The hash in the address of assets is left out. */
const open = Object.fromEntries(
  [
    'GET /health',
    'GET /accessibility',
    'GET /contact',
    'GET /cookies',
    'GET /is-this-letter-real',
    'GET /privacy',
    // Who has the link reads the mail that it came by.
    'GET /confirm-email/:token',
    'POST /confirm-email/:token',
    'GET /status',
    'GET /status/outages/:id/:evidenceId',
    'GET /openapi.json',
    'GET /docs',
    'GET /assets/post.css',
    'GET /assets/start.js',
    'GET /assets/write.js',
    'GET /assets/progress.js',
    'GET /assets/search.js',
    'GET /assets/govuk-frontend.js',
    'GET /assets/mailbox.js',
    'GET /assets/live.js',
    ...['inbox', 'to-do', 'search', 'write', 'more'].map((name) => `GET /assets/icons/${name}.svg`),
    'GET /assets/favicon.svg',
    'GET /assets/pdf-viewer.js',
    'GET /assets/print.js',
    '* /assets/pdf/*',
    'GET /sign-in',
    'GET /sign-in/callback',
    'GET /department/sign-in',
    'GET /department/sign-in/callback',
    'GET /registrar/sign-in',
    'POST /sign-out',
    'POST /department/sign-out',
    'POST /registrar/sign-out',
    'GET /signed-out',
    'GET /one-login/jwks.json',
    'POST /one-login/back-channel-logout',
    'GET /linking/jwks.json',
    'GET /linking/answer',
    'POST /linking/answer',
    'POST /linking/offer',
    'POST /oauth/token',
    'GET /oauth/jwks.json',
    'GET /.well-known/oauth-authorization-server',
    'GET /calendar/:file',
    'POST /pay/webhook/:account',
    'GET /verify',
    'POST /verify',
    'GET /log/checkpoint',
    '* /log/tile/*',
    'GET /log/keys.json',
    'GET /log/record-schema.json',
  ].map((route) => [route, 'public'] as const),
)

/** In a demo only. */
const demo = Object.fromEntries([
  ...['council-tax', 'state-pension'].flatMap((service) =>
    ['GET /jwks.json', 'GET ', 'POST ', 'GET /link', 'POST /link'].map((route) => {
      const [method, end] = route.split(' ')
      return [`${method} /demo-service/${service}${end}`, 'public'] as const
    }),
  ),
  ...['one-login-stand-in', 'staff-stand-in'].flatMap((folder) => [
    ...['GET', 'POST'].map((method) => [`${method} /${folder}/interaction/:uid`, 'stand-in'] as const),
    [`* /${folder}/*`, 'stand-in'] as const,
  ]),
  ...['POST /demo/pay/v1/payments', 'GET /demo/pay/v1/payments/:id', 'GET /pay-stand-in/:id', 'POST /pay-stand-in/:id'].map(
    (route) => [route, 'public'] as const,
  ),
  ...['witness/add-checkpoint', 'time-stamp'].map((address) => [`POST /demo/${address}`, 'public'] as const),
  ...['witness/add-checkpoint', 'time-stamp', 'notify/v2/notifications/email', 'notify/v2/notifications/sms'].map(
    (address) => [`POST /demo/${address}`, 'public'] as const,
  ),
  ...['notify/v2/notifications', 'outbox'].map((address) => [`GET /demo/${address}`, 'public'] as const),
])

/** Every route, once. */
export const expectations: Record<string, Expectation> = {
  ...citizen,
  'GET /sign-in/join': { who: 'is signed in' },
  ...department,
  ...api,
  ...registrar,
  ...open,
  ...demo,
}

/** As a route stands in `expectations`; undefined for what comes with another of the same address. */
export function nameOfRoute({ method, url }: { method: string; url: string }): string | undefined {
  if (method === 'HEAD' || method === 'OPTIONS') return undefined
  const address = url.replace(/^\/assets\/[0-9a-f]{12}\//, '/assets/')
  return `${url.endsWith('/*') ? '*' : method} ${address}`
}

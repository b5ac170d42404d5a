import { v7 as newId } from 'uuid'
import { digestOf } from '../../src/registry/consent.ts'
import { type Caller, ofCouncilTax, ofParking, ofPension, persons, registrars } from './callers.ts'
import type { DraftMade } from './drafts.ts'
import type { GrantMade, Grants } from './grants.ts'
import type { Letter } from './letters.ts'
import type { Parties } from './parties.ts'
import type { Linked, Records } from './records.ts'

/** Something that an address can name, and for whom it is there. */
export type Thing = {
  name: string
  /** For each `:name` of the route. */
  params?: Record<string, string>
  /** What follows the address. */
  query?: string
  /** What a form must hold so that it gets as far as the question whether it may be. */
  fields?: Record<string, string>
  isFor: readonly Caller[]
  /** Who has to do with it from another side, and so with its row in the database. */
  rowOf?: readonly Caller[]
  /** What is not there in one way, and what is not there in another, may be answered differently. */
  isWithin?: string
  /** Who is told that it is not for them: of what everybody may know to be there. */
  isDeniedTo?: readonly Caller[]
}

export type Things = ReturnType<typeof listThings>
export type Kind = keyof Things

type World = { parties: Parties; grants: Grants; letters: readonly Letter[]; drafts: readonly DraftMade[]; records: Records }

/** What each kind of address can be asked for: by everybody, whoever it is for; the last of each kind is not there at all. */
export function listThings({ parties, grants, letters, drafts, records }: World) {
  return {
    ...draftThings(drafts),
    ...letterThings(letters),
    ...grantThings(grants.all),
    ...listPages(),
    ...linkThings(records),
    ...folderThings(records, letters),
    ...contactThings(records),
    ...departmentThings(parties, records),
    ...registrarThings(records, grants.all),
    ...serviceThings(letters, parties),
    ...followingThings(records),
    ...mailingThings(records),
    ...ownThings(records),
  } satisfies Record<string, Thing[]>
}

/** Whoever reads post in a mailbox that they have open. */
const mailReaders = ['rosa', 'arthur', 'reader', 'writer', 'limited', 'narrow', 'employee', 'adviser', 'colleague'] as const

const nowhere = (...names: string[]): Thing => ({
  name: 'what is not there',
  params: Object.fromEntries(names.map((name) => [name, newId()])),
  isFor: [],
})

function letterThings(letters: readonly Letter[]) {
  const each = (isFor: (letter: Letter) => readonly Caller[]) => [
    ...letters.map((letter): Thing => {
      const { name, id, received, sent } = letter
      return { name, params: { id }, isFor: isFor(letter), rowOf: [...received, ...sent] }
    }),
    nowhere('id'),
  ]
  const [first, second] = [letters.find(({ name }) => name === 'a letter to Arthur')!, letters[0]!]
  const files = (isFor: (letter: Letter) => readonly Caller[]): Thing[] => [
    ...letters.map((letter) => ({
      name: `the file of ${letter.name}`,
      params: { id: letter.id, fileId: letter.fileId },
      isFor: isFor(letter),
      rowOf: [...letter.received, ...letter.sent],
    })),
    { name: `another’s file, as if of ${first.name}`, params: { id: first.id, fileId: second.fileId }, isFor: [] },
    nowhere('id', 'fileId'),
  ]
  const asking = letters.filter(({ actionId }) => actionId !== undefined)
  const actions: Thing[] = [
    ...asking.map((letter) => ({
      name: `the action of ${letter.name}`,
      params: { id: letter.id, actionId: letter.actionId! },
      fields: { event: 'complete' },
      isFor: letter.received,
      rowOf: [...letter.received, ...letter.sent],
    })),
    {
      name: `another’s action, as if of ${first.name}`,
      params: { id: first.id, actionId: second.actionId! },
      fields: { event: 'complete' },
      isFor: [],
    },
    { ...nowhere('id', 'actionId'), fields: { event: 'complete' } },
  ]
  // Of each letter, its acceptance.
  const receipts = (isFor: (letter: Letter) => readonly Caller[]): Thing[] => [
    ...letters.map((letter) => ({
      name: `the receipt of ${letter.name}`,
      params: { id: letter.id, evidenceId: letter.evidenceId },
      isFor: isFor(letter),
      rowOf: [...letter.received, ...letter.sent],
    })),
    { name: `another’s receipt, as if of ${first.name}`, params: { id: first.id, evidenceId: second.evidenceId }, isFor: [] },
    nowhere('id', 'evidenceId'),
  ]
  const texts = (isFor: (letter: Letter) => readonly Caller[]): Thing[] => [
    ...each(isFor).map((thing) => ({ ...thing, params: { ...thing.params, language: 'en' } })),
  ]
  return {
    'receipt received': receipts(({ received }) => received),
    'receipt sent': receipts(({ sent }) => sent),
    receipt: receipts(({ received, sent }) => [...received, ...sent]),
    'text received': texts(({ received }) => received),
    'text sent': texts(({ sent }) => sent),
    text: texts(({ received, sent }) => [...received, ...sent]),
    received: each(({ received }) => received),
    sent: each(({ sent }) => sent),
    either: each(({ received, sent }) => [...received, ...sent]),
    action: actions,
    'letter to take away': each(({ received, sent }) => [...received, ...sent]).map(({ params, ...thing }) => {
      return { ...thing, fields: { letters: params!.id! } }
    }),
    'part of everything': [{ name: 'no part', fields: { part: `${newId()}_${newId()}` }, isFor: ['rosa', 'arthur'] }] as Thing[],
    file: files(({ received, sent }) => [...received, ...sent]),
    'file received': files(({ received }) => received),
  }
}

function draftThings(drafts: readonly DraftMade[]) {
  const each = (isSuch: (draft: DraftMade) => boolean) => [
    ...drafts.filter(isSuch).map(({ name, id, isFor }): Thing => ({ name, params: { id }, isFor })),
    nowhere('id'),
  ]
  return {
    draft: each(({ isForward }) => !isForward),
    // Those that one caller alone may delete: of several, the others would find it gone.
    'draft to delete': each(({ isForward, isFor }) => !isForward && isFor.length === 1),
    'forwarded draft': each(({ isForward }) => isForward),
    'file of a draft': [
      ...drafts.flatMap(({ name, id, fileId, isFor }): Thing[] =>
        fileId === undefined ? [] : [{ name: `the file of ${name}`, params: { id, fileId }, isFor }],
      ),
      nowhere('id', 'fileId'),
    ],
  }
}

function grantThings(all: readonly GrantMade[]) {
  const each = (isFor: (grant: GrantMade) => readonly Caller[]) => [
    ...all.map((grant): Thing => {
      const { name, id, given, held, offered = [] } = grant
      return { name, params: { id }, isFor: isFor(grant), rowOf: [...given, ...held, ...offered] }
    }),
    nowhere('id'),
  ]
  const idOf = (name: string) => all.find((grant) => grant.name === name)!.id
  const changeable = ['the grant of administrator to employee', 'the grant of administrator to adviser']
  const mailboxes: Thing[] = [
    ...all.map(({ name, id, held }): Thing => {
      return { name: `the mailbox by ${name}`, fields: { grant: id }, isFor: /to (ended|leaver)$/.test(name) ? [] : held }
    }),
    ...(['colleague', 'leaver'] as const).map((through): Thing => {
      const [grant, via] = [idOf('the grant of rosa to the firm'), idOf(`the grant of the firm to ${through}`)]
      return {
        name: `Rosa’s through the firm, by ${through}`,
        fields: { grant, via },
        isFor: through === 'colleague' ? [through] : [],
      }
    }),
    { name: 'no mailbox', fields: { grant: newId() }, isFor: [] },
  ]
  return {
    'grant given': each(({ given }) => given),
    'grant held': each(({ held }) => held),
    'grant offered': each(({ offered }) => offered ?? []),
    'grant to change': each(({ name, given }) => (changeable.includes(name) ? given : [])),
    'document of a grant given': each(({ given, hasDocument }) => (hasDocument ? given : [])),
    'mailbox to open': mailboxes,
    'letter in another mailbox': mailboxes.map((thing) => ({
      ...thing,
      fields: { ...thing.fields!, letter: newId(), place: 'sent' },
    })),
  }
}

/** A second page is only there for whoever has enough for one: it would tell of how much others have. */
function listPages() {
  const list = (first: readonly Caller[], second: readonly Caller[]): Thing[] => [
    { name: 'the first page', isFor: first },
    { name: 'the second page', query: '?page=2', isFor: second },
    { name: 'the last page of all', query: '?page=9000', isFor: [] },
  ]
  const readers = mailReaders
  const looking = [...readers, 'administrator'] as const
  return {
    'page of the inbox': list(readers, ['rosa', 'reader', 'writer']),
    'page of what was sent': list(readers, ['rosa', 'reader', 'writer']),
    'page of looks': list(looking, ['rosa', 'reader', 'writer']),
    'page of others’ looks': list(looking, ['reader', 'writer']),
    // All that is secret begins so.
    'words to search for': [
      { name: 'what is secret', query: '?q=zq', isFor: readers },
      { name: 'the same without words', query: '?document=yes', isFor: readers },
      { name: 'what was sent, without words', query: '?where=sent&from=1/1/2020', isFor: readers },
      { name: 'drafts, without words', query: '?where=drafts&from=1/1/2020', isFor: readers },
    ] as Thing[],
    // To remove what is not there does nothing.
    'saved search': [{ name: 'no search', params: { id: newId() }, isFor: readers }] as Thing[],
    'page of the department’s inbox': list(['staff', 'clerk', 'parkingStaff', 'pensionStaff'], ['staff', 'clerk']),
    'page of the registrars’ log': list(registrars, []),
  }
}

function folderThings({ folders }: Records, letters: readonly Letter[]) {
  const own = (more: Partial<Thing> = {}): Thing[] => [
    { name: 'a folder of Rosa', params: { folder: folders.rosa }, isFor: ['rosa', 'reader', 'writer'], ...more },
    { name: 'a folder of the bakery', params: { folder: folders.bakery }, isFor: ['employee'], ...more },
    { ...nowhere('folder'), ...more },
  ]
  const filed = (fields: (id: string) => Record<string, string>, inAddress: boolean): Thing[] =>
    [...letters, { name: 'no letter', id: newId(), received: [], sent: [] }].map(({ name, id, received, sent }) => ({
      name,
      ...(inAddress ? { params: { id } } : {}),
      fields: fields(id),
      isFor: received,
      rowOf: [...received, ...sent],
    }))
  return {
    folder: own(),
    'own folder': own({ fields: { name: 'Bills', parent: '', seenName: 'Bills', seenParent: '' } }),
    // Once it is deleted it is gone for everybody, so that one may and no other.
    'folder to delete': own().filter(({ isFor }) => isFor.length < 2),
    'letter to file': filed((id) => ({ letters: id, what: 'flag', from: 'inbox' }), false),
    'letter to note on': filed(() => ({ text: 'A note', version: '0' }), true),
    filing: [{ name: 'nobody’s', fields: { filing: newId(), from: 'inbox' }, isFor: mailReaders }] as Thing[],
    state: [{ name: 'the state', query: '?once=1', isFor: mailReaders }] as Thing[],
  }
}

function linkThings({ codes, linkIds }: Records) {
  const owners = ['rosa', 'arthur', 'administrator'] as const
  const each = (name: 'code' | 'id', values: Record<Linked, string>): Thing[] =>
    owners.map((whose) => ({ name: `a link of ${whose}`, params: { [name]: values[whose] }, isFor: [whose] }))
  const consent = (slug: string, wording: string, isFor: readonly Caller[]): Thing => ({
    name: slug,
    params: { category: slug },
    fields: { language: 'en', wording: digestOf(wording) },
    isFor,
  })
  return {
    link: [...each('id', linkIds), nowhere('id')],
    // Who knows a code has been handed it; another than its owner is told that it is not theirs.
    'link to confirm': each('code', codes),
    'service to link': [
      { name: 'council tax', params: { slug: 'council-tax' }, isFor: owners },
      { name: 'parking, which takes no part', params: { slug: 'parking' }, isFor: [] },
      { name: 'no service', params: { slug: 'no-such' }, isFor: [] },
    ] as Thing[],
    consent: [consent('health', 'Letters about your health come here.', owners), consent('no-such', '', [])],
    // A business has no say in it.
    'registration of one’s own': [{ name: 'one’s own', isFor: ['rosa', 'arthur'] }] as Thing[],
    'consent to withdraw': [consent('health', '', owners)],
  }
}

function contactThings({ points, groups }: Records) {
  const own = ['rosa', 'arthur', 'writer', 'employee'] as const
  const place = (
    name: string,
    params: Record<string, string>,
    isFor: readonly Caller[],
    isDeniedTo: readonly Caller[] = [],
  ): Thing => ({ name, params, isFor, isDeniedTo })
  const managed = (name: string, ids: Record<string, string>, isFor: readonly Caller[]): Thing =>
    place(name, { id: ids[name]! }, isFor)
  const council = { organisation: 'northfold-council' }
  const agency = { organisation: 'pensions' }
  return {
    'place to write to': [
      place('bills', { ...council, point: 'bills' }, own, ['limited', 'adviser']),
      place('rates', { ...council, point: 'rates' }, ['employee'], ['adviser']),
      place('fines', { ...council, point: 'fines' }, [...own, 'limited'], ['adviser']),
      place('claim', { ...agency, point: 'claim' }, [...own, 'adviser'], ['limited']),
      place('no point', { ...council, point: 'no-such' }, []),
    ],
    'public body to write to': [
      place('the council', council, [...own, 'limited']),
      place('the agency', agency, [...own, 'adviser']),
      place('no body', { organisation: 'no-such' }, []),
    ],
    'group to write in': [
      place('money', { ...council, group: 'money' }, own),
      place('claims', { ...agency, group: 'claims' }, [...own, 'adviser']),
      place('no group', { ...council, group: 'no-such' }, []),
    ],
    'search for a place': [
      { name: 'no words', isFor: [...own, 'limited', 'adviser'] },
      { name: 'words of a hidden point', query: '?q=tucked', isFor: [...own, 'limited', 'adviser'] },
    ] as Thing[],
    'contact point': [
      managed('bills', points, ['staff']),
      managed('fines', points, ['parkingStaff']),
      managed('claim', points, ['pensionStaff']),
      nowhere('id'),
    ].map((thing) => ({ ...thing, fields: { version: '1' } })),
    'contact group': [
      managed('money', groups, ['staff', 'parkingStaff']),
      managed('claims', groups, ['pensionStaff']),
      nowhere('id'),
    ].map((thing) => ({ ...thing, fields: { version: '1' } })),
  }
}

function departmentThings({ keyed, staffIds }: Parties, { approvals }: Records) {
  const systems = [
    { name: 'a system of council tax', ...keyed.councilTax, isFor: ['staff'] as const },
    { name: 'a system of pensions', ...keyed.pension, isFor: ['pensionStaff'] as const },
    { name: 'no system', id: 'no-such', thumbprint: keyed.pension.thumbprint.replace(/^./, '_'), isFor: [] },
  ]
  const member = (name: string, id: string, isFor: readonly Caller[]): Thing => ({
    name,
    params: { id },
    fields: { to: 'active' },
    isFor,
  })
  return {
    system: systems.map(({ name, id, isFor }): Thing => ({ name, params: { id }, fields: { to: 'on' }, isFor })),
    'key of a system': systems.map(({ name, id, thumbprint, isFor }): Thing => ({ name, params: { id, thumbprint }, isFor })),
    approval: [
      { name: 'an approval of council tax', params: { id: approvals.councilTax }, isFor: ['staff'] },
      { name: 'an approval of pensions', params: { id: approvals.pension }, isFor: ['pensionStaff'] },
      nowhere('id'),
    ].map((thing) => ({ ...thing, fields: { decision: 'refuse' } })) as Thing[],
    // Who manages staff sees everybody of their public body.
    'member of staff': [
      member('the clerk', staffIds.clerk, ['staff', 'parkingStaff']),
      member('a colleague in pensions', staffIds.pensionAsker, ['pensionStaff']),
      nowhere('id'),
    ],
    'member of staff to deactivate': [
      member('the clerk', staffIds.clerk, ['staff']),
      member('a colleague in pensions', staffIds.pensionAsker, ['pensionStaff']),
      nowhere('id'),
    ],
    log: [
      { name: 'all', isFor: ['staff', 'parkingStaff', 'pensionStaff'] },
      { name: 'of council tax', query: '?service=council-tax', isFor: ['staff'] },
      { name: 'of parking', query: '?service=parking', isFor: ['parkingStaff'] },
      { name: 'of pensions', query: '?service=state-pension', isFor: ['pensionStaff'] },
      { name: 'of nothing', query: '?service=nothing', isFor: [] },
    ] as Thing[],
  }
}

function registrarThings({ searches, views, mergeId }: Records, grants: readonly GrantMade[]) {
  const each = (what: string, ids: Record<string, string>, more: Record<string, string> = {}): Thing[] => [
    ...registrars.map((name) => ({
      name: `${what} of ${name}`,
      params: { id: ids[name]!, ...more },
      fields: { place: '0' },
      isFor: [name],
    })),
    { ...nowhere('id', ...Object.keys(more)), fields: { place: '0' } },
  ]
  const idOf = (name: string) => grants.find((grant) => grant.name === name)!.id
  const within = (name: string, grantId: string): Thing => {
    return { name, params: { id: views.rosa.registrar, grantId }, isFor: [], isWithin: 'a viewing of one’s own' }
  }
  const others = [
    within('a grant of the bakery, as if of Rosa', idOf('the grant to the administrator')),
    within('no grant, as if of Rosa', newId()),
  ]
  return {
    search: each('a search', searches),
    'record of a person': each('a viewing of Rosa', views.rosa),
    'record of a business': each('a viewing of the bakery', views.bakery),
    'record of a twin': each('a viewing of a twin', views.twin),
    'registration of a record': each('a viewing of Rosa', views.rosa, { action: 'exempt' }).filter(
      ({ isFor }) => isFor.length > 0,
    ),
    'document of a recorded grant': [...each('a viewing of Rosa', views.rosa, { grantId: idOf('a grant by law') }), ...others],
    'recorded grant': [...each('a viewing of Rosa', views.rosa, { grantId: idOf('a grant by law') }), ...others],
    merge: [{ name: 'a merge', params: { id: mergeId }, isFor: registrars }, nowhere('id')] as Thing[],
  }
}

/** The days of a reconciliation, which every request for one names. */
const days = 'from=2026-11-01&to=2026-11-02'

/** What is somebody's own, whichever mailbox they have open. */
function ownThings({ own }: Records) {
  const each = (what: string, idOf: (one: Records['own'][keyof Records['own']]) => string): Thing[] => [
    ...Object.entries(own).map(
      ([name, one]): Thing => ({ name: `the ${what} of ${name}`, params: { id: idOf(one) }, isFor: [name as Caller] }),
    ),
    nowhere('id'),
  ]
  return {
    'contact detail': each('address that waits', ({ waiting }) => waiting),
    'contact detail confirmed': each('confirmed address', ({ confirmed }) => confirmed),
    session: each('other session', ({ sessionId }) => sessionId),
    'kind of contact detail': ['email', 'mobile'].map((kind): Thing => ({ name: kind, params: { kind }, isFor: persons })),
  }
}

function followingThings({ deadDeliveries, batches, uploads }: Records) {
  const managers = {
    'council-tax': ['staff'],
    parking: ['parkingStaff'],
    'state-pension': ['pensionStaff'],
    'no-such': [],
  } as const
  const readers = { ...managers, 'council-tax': ['staff', 'clerk'] } as const
  const systems = { 'council-tax': ['system'], parking: ['parkingSystem'], 'state-pension': ['pensionSystem'] } as const
  const ofService = (isFor: Record<string, readonly Caller[]>, more: Partial<Thing>) =>
    Object.entries(isFor).map(
      ([service, callers]): Thing => ({ name: `of ${service}`, params: { service }, isFor: callers, ...more }),
    )
  const batchOf = (seenBy: Record<string, readonly Caller[]>) => [
    ...Object.entries(systems).map(
      ([service, isFor]): Thing => ({
        name: `the batch of ${service}`,
        params: { id: batches[service as keyof typeof systems] },
        fields: { to: 'pause' },
        isFor: [...isFor, ...seenBy[service]!],
        rowOf: [...isFor, ...readers[service as keyof typeof systems]],
      }),
    ),
    { ...nowhere('id'), fields: { to: 'pause' } },
  ]
  return {
    upload: [
      ...Object.entries(systems).map(([service, isFor]): Thing => {
        return { name: `the upload of ${service}`, params: { id: uploads[service as keyof typeof systems] }, isFor }
      }),
      nowhere('id'),
    ],
    'batch read': batchOf(readers),
    'batch written': batchOf(managers),
    'batch to begin': Object.entries({ ...systems, 'no-such': [] }).map(
      ([service, isFor]): Thing => ({ name: `for ${service}`, params: { reference: 'begun' }, fields: { service }, isFor }),
    ),
    'webhook of a service': ofService(managers, {
      fields: { url: 'https://127.0.0.1/events', version: '1', to: 'on', delivery: 'all' },
    }),
    'letters of a service': ofService(readers, {}),
    'days of a service': ofService(readers, { query: `?${days}` }),
    'days asked for': Object.entries({ ...systems, 'no-such': [] }).map(
      ([service, isFor]): Thing => ({ name: `of ${service}`, query: `?service=${service}&${days}`, isFor }),
    ),
    'dead delivery': [
      ...Object.entries(systems).map(
        ([service, isFor]): Thing => ({
          name: `a dead delivery of ${service}`,
          params: { id: deadDeliveries[service as keyof typeof systems] },
          isFor,
        }),
      ),
      nowhere('id'),
    ],
  }
}

function mailingThings({ mailings }: Records) {
  const writers = { 'council-tax': ['staff'], parking: ['parkingStaff'], 'state-pension': ['pensionStaff'] } as const
  const readers = { ...writers, 'council-tax': ['staff', 'clerk'] } as const
  const each = (
    what: string,
    seenBy: typeof writers | typeof readers,
    idOf: (one: Records['mailings'][keyof typeof writers]) => string,
  ) => [
    ...(['council-tax', 'parking', 'state-pension'] as const).map(
      (service): Thing => ({
        name: `the ${what} of ${service}`,
        params: { id: idOf(mailings[service]), version: '1' },
        fields: { version: '1', to: 'archived' },
        isFor: seenBy[service],
        rowOf: readers[service],
      }),
    ),
    { name: 'what is not there', params: { id: newId(), version: '1' }, fields: { version: '1' }, isFor: [] } as Thing,
  ]
  return {
    'template read': each('template', readers, ({ templateId }) => templateId),
    'template written': each('template', writers, ({ templateId }) => templateId),
    'mailing read': each('mailing', readers, ({ id }) => id),
    'mailing written': each('mailing', writers, ({ id }) => id),
  }
}

function serviceThings(letters: readonly Letter[], { numbers }: Parties) {
  const slugs = {
    'council-tax': [...ofCouncilTax, 'lookupSystem'],
    parking: ofParking,
    'state-pension': ofPension,
    nothing: [],
  } as Record<string, readonly Caller[]>
  const everySystem = ['system', 'parkingSystem', 'pensionSystem', 'lookupSystem'] as const
  const bySlug = (more: (slug: string) => Partial<Thing>) =>
    Object.entries(slugs).map(([slug, isFor]): Thing => ({ name: `for ${slug}`, isFor, ...more(slug) }))
  const number = numbers.rosaTax
  return {
    'service asked for': [{ name: 'for all', isFor: everySystem } as Thing, ...bySlug((slug) => ({ query: `?service=${slug}` }))],
    'service written for': bySlug((slug) => ({ fields: { service: slug } })),
    reference: [
      ...letters.map(({ name, reference, sent }): Thing => ({ name, query: `?reference=${reference}`, isFor: sent })),
      { name: 'no message', query: '?reference=nothing', isFor: [] },
    ],
    number: [
      { name: 'Rosa’s', fields: { value: number }, isFor: ofCouncilTax },
      { name: 'nobody’s', fields: { value: 'CT-0' }, isFor: [] },
    ] as Thing[],
  }
}

import type { Evidence } from '../evidence/read-evidence.ts'
import { type EvidenceRecord, evidenceEvents, type Part } from '../evidence/record.ts'
import type { Letter } from '../mailbox/letter.ts'
import { languageName } from './letter-view.ts'
import type { Translate } from './words.ts'

/** What a page says of the evidence: in plain words first; what an engineer asks for comes last. */
export function viewProof(t: Translate, letter: Letter, evidence: readonly Evidence[], href: string) {
  const record = evidence.find(({ type }) => type === 'message.accepted')?.record
  const happened = (type: Evidence['type']) => evidence.find((each) => each.type === type)
  const opened = happened('message.opened')
  const isRecalled = !letter.isSent && letter.recalledAt !== null
  return {
    letter: isRecalled ? { ...letter, subject: t('letter:recalled.subject', { sender: letter.senderName }) } : letter,
    href,
    sender: record && [record.SenderDetails.name, record.SenderDetails.service].filter(Boolean).join(', '),
    submittedBy: record && inWords(t, record.SenderDetails.submittedBy),
    recipient: record?.RecipientDetails.name,
    acceptedAt: happened('message.accepted')?.at,
    availableAt: happened('message.available')?.at,
    openedAt: opened?.at,
    openedBy: opened && inWords(t, opened.record.EventDetails?.doneBy),
    events: evidence.map((each) => viewEvent(t, each, href)),
    isPending: evidence.some(({ entry }) => entry === undefined),
    texts: letter.content.map(({ language }) => ({ name: languageName(language), href: `${href}/proof/texts/${language}` })),
    // What was taken back is told no more, by the names of its documents either.
    parts: (isRecalled ? [] : (record?.UserContentInfo ?? [])).map((part) => viewPart(t, part)),
    policy: record?.EvidenceIssuerPolicyID,
  }
}

function viewEvent(t: Translate, { id, type, at, record, entry }: Evidence, href: string) {
  return {
    id,
    at,
    utc: at.toISOString(),
    name: evidenceEvents[type],
    says: happeningInWords(t, type, record),
    entry,
    receipt: entry && `${href}/proof/${id}`,
    previous: record.PreviousEvidence,
  }
}

function viewPart(t: Translate, { part, language, filename, subject, digest, size }: Part) {
  const text = language ? t('proof:text-in', { language: languageName(language) }) : t('proof:text')
  const name = part === 'action' ? t('proof:to-do', { subject }) : filename
  return { name: part === 'text' ? text : name, digest, size: size.toLocaleString('en-GB') }
}

type Doer = NonNullable<NonNullable<EvidenceRecord['EventDetails']>['doneBy']>

function inWords(t: Translate, doer: Doer | undefined): string | undefined {
  if (doer === undefined) return undefined
  const { name, onBehalfOf } = doer
  const kind = t(`proof:kinds.${doer.kind}`)
  if (name === undefined) return kind
  if (doer.kind === 'owner') return name
  return onBehalfOf === undefined ? t('proof:doer', { name, kind }) : t('proof:doer-for', { name, kind, whom: onBehalfOf })
}

/** A line of the table. Who did it, by what and for what reason is said where the record has it. */
export function happeningInWords(t: Translate, type: Evidence['type'], record: EvidenceRecord): string {
  const { doneBy, channel, file, action } = record.EventDetails ?? {}
  const by = type === 'message.accepted' ? record.SenderDetails.submittedBy : doneBy
  const doer = hasDoer.has(type) ? inWords(t, by) : undefined
  const key = [
    type.split('.')[1],
    type === 'message.handed-over' && file?.filename ? 'named' : '',
    doer === undefined ? '' : 'by',
    hasChannel.has(type) && channel ? 'through' : '',
  ]
  const reasons = (record.EventReasons ?? []).map(({ reason }) => `: ${reason.replace(/\.$/, '')}`).join('')
  return `${t(`proof:happened.${key.filter(Boolean).join('-')}`, { doer, channel, file: file?.filename, ...becameOf(t, action) })}${reasons}`
}

type ChangedAction = NonNullable<NonNullable<EvidenceRecord['EventDetails']>['action']>

/** What a letter asked for, and what became of that. */
function becameOf(t: Translate, action: ChangedAction | undefined) {
  if (action === undefined) return {}
  const { kind, state, label } = action
  const isOwn = (state === 'done' && doneInOwnWords.includes(kind)) || (state === 'cancelled' && kind === 'book')
  return { label, became: t(`proof:became.${isOwn ? `${kind}-${state}` : state}`) }
}
const doneInOwnWords = ['pay', 'book', 'sign', 'confirm']

const hasDoer = new Set<Evidence['type']>([
  'message.accepted',
  'message.opened',
  'message.handed-over',
  'message.answered',
  'message.recalled',
  'message.action',
])
const hasChannel = new Set<Evidence['type']>(['message.alerted', 'message.alert-failed', 'message.relayed'])

import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { Type } from 'typebox'
import { Language } from '../documents/document.ts'
import type { MakeReceipt } from '../evidence/make-receipt.ts'
import type { Evidence } from '../evidence/read-evidence.ts'
import { evidenceEvents, type Part } from '../evidence/record.ts'
import { becameInWords, doerInWords } from '../evidence/verdict.ts'
import { find } from '../mailbox/find.ts'
import type { Letter } from '../mailbox/letter.ts'
import { open } from '../mailbox/open.ts'
import { findProof, findReceipt } from '../mailbox/proof.ts'
import { Problem } from '../problems.ts'
import { LetterParams } from './address.ts'
import { disposition, refuseOtherSites } from './download.ts'
import { languageName } from './letter-view.ts'
import { type PageData, type Surroundings, sendPage } from './page.ts'

/** `shows`: what is at the folder's addresses. */
export type ProofOptions = {
  makeReceipt: MakeReceipt
  folder: string
  shows: 'received' | 'sent' | 'either'
  section: PageData['section']
}

const ReceiptParams = Type.Object({ id: Type.String({ format: 'uuid' }), evidenceId: Type.String({ format: 'uuid' }) })
const TextParams = Type.Object({ id: Type.String({ format: 'uuid' }), language: Language })

/** What can be proved of the messages under `folder`, for both doors: a page about it, the receipts, and the text that they are about. */
export function proofPages(app: FastifyInstance, { database, clock }: Surroundings, options: ProofOptions): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()
  const { makeReceipt, folder, shows, section } = options
  const requireShown = (letter: Letter) => {
    if (shows !== 'either' && letter.isSent !== (shows === 'sent')) throw new Problem('not-found')
  }

  scope.get(`${folder}/:id/proof`, { schema: { params: LetterParams } }, async (request, reply) => {
    const { letter, evidence } = await findProof(database, request.signedIn!.actor, request.params.id)
    requireShown(letter)
    return sendPage(request, reply, 'proof', {
      title: 'Proof of delivery',
      section,
      ...viewProof(letter, evidence, `${folder}/${letter.id}`),
    })
  })

  scope.get(`${folder}/:id/proof/:evidenceId`, { schema: { params: ReceiptParams } }, async (request, reply) => {
    refuseOtherSites(request)
    const { id, evidenceId } = request.params
    const { actor } = request.signedIn!
    requireShown(await find(database, actor, id))
    const receipt = await findReceipt(database, actor, id, evidenceId, makeReceipt, clock())
    return sendFile(reply, 'application/octet-stream', `${evidenceId}.tlog-proof`, receipt)
  })

  scope.get(`${folder}/:id/proof/texts/:language`, { schema: { params: TextParams } }, async (request, reply) => {
    refuseOtherSites(request)
    const { id, language } = request.params
    const { actor } = request.signedIn!
    const found = await find(database, actor, id)
    requireShown(found)
    const text = found.content.find((each) => each.language === language)
    if (text === undefined) throw new Problem('not-found')
    // Who has a letter's text has opened it.
    if (!found.isSent) await open(database, actor, id, clock())
    return sendFile(reply, 'text/markdown; charset=utf-8', `letter-${language}.md`, text.body)
  })
}

function sendFile(reply: FastifyReply, mediaType: string, filename: string, text: string): FastifyReply {
  return reply
    .headers({
      'content-type': mediaType,
      'content-disposition': disposition('attachment', filename),
      'content-security-policy': "default-src 'none'; sandbox",
      'cache-control': 'no-store',
    })
    .send(Buffer.from(text))
}

/** In plain words first; what an engineer asks for comes last. */
function viewProof(letter: Letter, evidence: readonly Evidence[], href: string) {
  const record = evidence.find(({ type }) => type === 'message.accepted')?.record
  const happened = (type: Evidence['type']) => evidence.find((each) => each.type === type)
  const opened = happened('message.opened')
  return {
    letter,
    href,
    sender: record && [record.SenderDetails.name, record.SenderDetails.service].filter(Boolean).join(', '),
    submittedBy: record?.SenderDetails.submittedBy && doerInWords(record.SenderDetails.submittedBy),
    recipient: record?.RecipientDetails.name,
    acceptedAt: happened('message.accepted')?.at,
    availableAt: happened('message.available')?.at,
    openedAt: opened?.at,
    openedBy: opened && doerOf(opened),
    events: evidence.map((each) => viewEvent(each, href)),
    isPending: evidence.some(({ entry }) => entry === undefined),
    texts: letter.content.map(({ language }) => ({ name: languageName(language), href: `${href}/proof/texts/${language}` })),
    parts: (record?.UserContentInfo ?? []).map(viewPart),
    policy: record?.EvidenceIssuerPolicyID,
  }
}

function viewEvent({ id, type, at, record, entry }: Evidence, href: string) {
  return {
    id,
    at,
    utc: at.toISOString(),
    name: evidenceEvents[type],
    says: happenings[type](record),
    entry,
    receipt: entry && `${href}/proof/${id}`,
    previous: record.PreviousEvidence,
  }
}

function viewPart({ part, subject, language, filename, digest, size }: Part) {
  const name =
    part === 'text' ? `Text${language ? ` (${languageName(language)})` : ''}` : part === 'action' ? `To do: ${subject}` : filename
  return { name, digest, size: size.toLocaleString('en-GB') }
}

type EvidenceRecord = Evidence['record']

function doerOf({ record }: { record: EvidenceRecord }): string | undefined {
  const doer = record.EventDetails?.doneBy
  return doer && doerInWords(doer)
}

const by = (record: EvidenceRecord) => (record.EventDetails?.doneBy ? ` by ${doerOf({ record })}` : '')
const through = (record: EvidenceRecord) => (record.EventDetails?.channel ? ` by ${record.EventDetails.channel}` : '')
const because = (record: EvidenceRecord) =>
  (record.EventReasons ?? []).map(({ reason }) => `: ${reason.replace(/\.$/, '')}`).join('')

/** A line of the table. */
const happenings: Record<Evidence['type'], (record: EvidenceRecord) => string> = {
  'message.accepted': ({ SenderDetails: { submittedBy } }) => `Sent${submittedBy ? ` by ${doerInWords(submittedBy)}` : ''}`,
  'message.rejected': (record) => `Refused${because(record)}`,
  'message.available': () => 'Put in the mailbox, where it could be read from then on',
  'message.failed': (record) => `Could not be put in the mailbox${because(record)}`,
  'message.alerted': (record) => `The recipient was told${through(record)} that there is post`,
  'message.alert-failed': (record) => `The recipient could not be told${through(record)} that there is post${because(record)}`,
  'message.opened': (record) => `Opened${by(record)}`,
  'message.handed-over': (record) => `Document${named(record)} handed over${by(record).replace(/^ by/, ' to')}`,
  'message.relayed': (record) => `Handed on outside this mailbox${through(record)}`,
  'message.answered': (record) => `Answered${by(record)}`,
  'message.recalled': (record) => `Taken back${by(record)}${because(record)}`,
  'message.served': () => 'Recorded as served',
  'message.action': (record) => `“${record.EventDetails?.action?.label}” was ${becameInWords(record)}${by(record)}`,
  'service.interrupted': () => 'Post could not be delivered or read',
  'service.restored': () => 'Post could be delivered and read again',
}

const named = ({ EventDetails }: EvidenceRecord) => (EventDetails?.file?.filename ? ` “${EventDetails.file.filename}”` : '')

import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { isScope } from '../../access/rights.ts'
import type { Database } from '../../database/connect.ts'
import { type AskedOfBatch, decideApprovedBatch } from '../../delivery/decide-batch.ts'
import { Problem } from '../../problems.ts'
import {
  type Approval,
  approvalKinds,
  type Decision,
  decideApproval,
  type Effects,
  findApproval,
  listApprovals,
} from '../../registry/approval.ts'
import { addKey, addSystem } from '../../registry/client-add.ts'
import { listServices } from '../../registry/services.ts'
import { LetterParams } from '../address.ts'
import { type Surroundings, sendPage } from '../page.ts'
import { type Translate, wordsFor } from '../words.ts'
import { readPosted } from './posted-form.ts'
import { scopeInWords } from './systems.ts'

const folder = '/department/approvals'

/** What is done when something is approved. A new kind gets a line here, its right in registry/approval.ts, and its name in the words. */
const effects: Effects = {
  client: addSystem,
  'client-key': addKey,
  'batch-release': decideApprovedBatch,
  'batch-recall': decideApprovedBatch,
}

const decisions: Record<string, Decision> = { approve: 'approved', refuse: 'refused', withdraw: 'withdrawn' }
/** What one member of staff asks for and another approves. */
export function approvalPages(app: FastifyInstance, { database, clock }: Surroundings): void {
  const scope = app.withTypeProvider<TypeBoxTypeProvider>()

  scope.get(folder, async (request, reply) => {
    const { actor } = request.signedIn!
    // Of each kind only who has its right sees anything.
    if (!Object.values(approvalKinds).some((right) => actor.rights.has(right))) throw new Problem('scope-missing')
    const approvals = await listApprovals(database, actor, clock())
    const t = wordsFor(request)
    const views = await viewApprovals(database, approvals, t)
    return sendPage(request, reply, 'department/approvals', {
      title: t('staff-approvals:title'),
      section: 'approvals',
      forOthers: views.filter(({ isOwn }) => !isOwn),
      own: views.filter(({ isOwn }) => isOwn),
    })
  })

  const schema = { params: LetterParams }
  scope.get(`${folder}/:id`, { schema }, async (request, reply) => {
    const approval = await findApproval(database, request.signedIn!.actor, request.params.id, clock())
    const [view] = await viewApprovals(database, [approval], wordsFor(request))
    return sendPage(request, reply, 'department/approval', { title: view!.title, section: 'approvals', approval: view })
  })

  scope.post(`${folder}/:id`, { schema }, async (request, reply) => {
    const posted = await readPosted(request)
    const { actor } = request.signedIn!
    const decision = decisions[posted.line('decision')]
    if (decision === undefined) throw new Problem('not-found')
    await decideApproval(database, actor, { approvalId: request.params.id, decision }, effects, clock())
    // The page says what became of it, also where somebody else was quicker.
    return reply.redirect(`${folder}/${request.params.id}`, 303)
  })
}

async function viewApprovals(database: Database, approvals: readonly Approval[], t: Translate) {
  const ids = approvals.flatMap(({ serviceIds }) => serviceIds)
  const nameOf = new Map((await listServices(database, { ids })).map(({ id, name }) => [id, name]))
  return approvals.map((approval) => {
    const { name, scopes, key, thumbprint, clientId } = approval.what as Partial<Record<string, string>> & {
      scopes?: string[]
      key?: { kty: string; crv?: string }
    }
    const isOfBatch = approvalKinds[approval.kind] === 'messages:write'
    return {
      ...approval,
      title: t(`staff-approvals:kind.${approval.kind}`),
      href: `${folder}/${approval.id}`,
      services: approval.serviceIds.map((id) => nameOf.get(id) ?? ''),
      name,
      batch: isOfBatch ? viewBatch(approval.what as AskedOfBatch) : undefined,
      clientId,
      thumbprint,
      keyKind: key && [key.kty, key.crv].filter(Boolean).join(' '),
      scopesInWords: scopes?.filter(isScope).map((one) => scopeInWords(one, t)),
    }
  })
}

function viewBatch(asked: AskedOfBatch) {
  return {
    href: `/department/batches/${asked.batchId}`,
    letters: asked.letters.toLocaleString('en'),
    reason: asked.decision === 'recall' ? asked.reason : undefined,
    isRelease: asked.decision === 'release',
  }
}

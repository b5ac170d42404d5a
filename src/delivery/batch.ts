import { Problem, type ProblemCode } from '../problems.ts'

/**
 * `bulk`: never in the way of a single letter, and in turn with what other services send in bulk. `normal`: as urgent as a
 * single letter, for some hundreds that must be there now.
 */
export const batchLanes = ['bulk', 'normal'] as const
export type BatchLane = (typeof batchLanes)[number]

/** Open: takes letters. Paused: takes none until it is resumed. Closed: was sent whole. Stopped: was broken off, for good. */
export const batchStates = ['open', 'paused', 'closed', 'stopped'] as const
export type BatchState = (typeof batchStates)[number]

export const batchChanges = ['pause', 'resume', 'close', 'stop'] as const
export type BatchChange = (typeof batchChanges)[number]

/** State × change. What is not there cannot be done; a change to the state that it has already is harmless. */
const next: Record<BatchState, Partial<Record<BatchChange, BatchState>>> = {
  open: { pause: 'paused', resume: 'open', close: 'closed', stop: 'stopped' },
  paused: { pause: 'paused', resume: 'open', close: 'closed', stop: 'stopped' },
  closed: { close: 'closed' },
  stopped: { stop: 'stopped' },
}

/** Throws `batch-over`. */
export function stateAfter(state: BatchState, change: BatchChange): BatchState {
  const after = next[state][change]
  if (after === undefined) throw new Problem('batch-over')
  return after
}

/** Why a batch in this state takes no letter. */
export function refusalOf(state: BatchState): ProblemCode | undefined {
  if (state === 'open') return undefined
  return state === 'paused' ? 'batch-paused' : 'batch-over'
}

/** Of all letters of a batch: to release those that it holds, or to take back those that nobody has opened. */
export type BatchDecision = 'release' | 'recall'

/** Null where it is not decided. `…DoneAt`: when the worker had been through all letters. */
export type Decisions = {
  releasedAt: Date | null
  releasedByName: string | null
  releaseDoneAt: Date | null
  recalledAt: Date | null
  recalledByName: string | null
  recallReason: string | null
  recallDoneAt: Date | null
}

/** What has become of a batch as a whole, where it was held or taken back. */
export const batchStages = ['held', 'releasing', 'released', 'taking-back', 'taken-back'] as const
export type BatchStage = (typeof batchStages)[number]

export function stageOf({ hold, releasedAt, releaseDoneAt, recalledAt, recallDoneAt }: Pick<Batch, 'hold'> & Decisions) {
  let stage: BatchStage | undefined
  if (recalledAt !== null) stage = recallDoneAt === null ? 'taking-back' : 'taken-back'
  else if (releasedAt !== null) stage = releaseDoneAt === null ? 'releasing' : 'released'
  else if (hold) stage = 'held'
  return stage
}

export function takesLetters(state: BatchState): boolean {
  return state === 'open' || state === 'paused'
}

/** Throws `batch-open`, or `action-not-possible` where there is nothing to release or it was decided otherwise. */
export function requireReleasable({ state, ...batch }: Batch & Decisions): void {
  if (stageOf(batch) !== 'held') throw new Problem('action-not-possible')
  if (takesLetters(state)) throw new Problem('batch-open')
}

export type Batch = {
  id: string
  /** The service that sends. */
  senderId: string
  reference: string
  name: string
  lane: BatchLane
  state: BatchState
  /** Nobody sees a letter of it until it is released. As it was begun: it stays so when it has been released. */
  hold: boolean
  createdAt: Date
  createdByName: string
  changedAt: Date
  changedByName: string
}

/** Each line is accepted, or refused, or was never answered. */
export type BatchCounts = { accepted: number; refused: number; refusedBy: { code: ProblemCode; count: number }[] }

/** What became of the accepted; one that was available may be recalled later. Undefined where there are more than can be counted in the time of a request. */
export type BatchProgress =
  | { held: number; available: number; opened: number; answered: number; recalled: number; failed: number }
  | undefined

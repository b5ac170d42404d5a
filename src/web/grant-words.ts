import type { Grant, GrantKind, GrantState } from '../access/grant.ts'
import type { OpenMailbox } from '../sign-in/session.ts'
import { dayInWords } from './dates.ts'
import { type Language, translate } from './words.ts'

/** In English where nobody says otherwise, as in what is written down. */
const otherwise = 'en'

export const kindInWords = (kind: GrantKind, language: Language = otherwise) => translate(language)(`grants:kind.${kind}`)
export const stateInWords = (state: GrantState, language: Language = otherwise) => translate(language)(`grants:state.${state}`)

type Described = Pick<OpenMailbox, 'role' | 'isAdministrator' | 'serviceNames' | 'categoryNames' | 'endsAt'>

/** Read only, Council tax only, until 3 March 2027. */
export function accessInWords(access: Described, language: Language = otherwise): string {
  const { endsAt } = access
  const until = endsAt && translate(language)('grants:until', { day: dayInWords(endsAt, language) })
  const words = [rightsInWords(access, language), limitsInWords(access, language), until].filter(Boolean).join(', ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}

export function rightsInWords(
  { role, isAdministrator }: Pick<Described, 'role' | 'isAdministrator'>,
  language: Language = otherwise,
): string {
  const t = translate(language)
  const rights = t(`grants:rights.${role}`)
  return isAdministrator ? t('grants:with-administrator', { rights }) : rights
}

/** Undefined where it is all post. */
export function limitsInWords(
  { serviceNames, categoryNames }: Pick<Described, 'serviceNames' | 'categoryNames'>,
  language: Language = otherwise,
): string | undefined {
  const limits = [...(serviceNames ?? []), ...(categoryNames ?? []).map((name) => name[language] ?? name.en)]
  return limits.length === 0 ? undefined : translate(language)('grants:only', { names: limits.join(', ') })
}

/** A helper, an executor. */
const oneOf = (kind: GrantKind, language: Language) => translate(language)(`grants:one-of.${kind}`)

/** As a helper (read only, Council tax only, until 3 March 2027): for whoever has another's mailbox open. */
export function accessInMailbox(open: OpenMailbox, language: Language = otherwise): string {
  const words = accessInWords(open, language)
  const access = words.charAt(0).toLowerCase() + words.slice(1)
  const values = { role: oneOf(open.kind, language), firm: open.firmName, access }
  return translate(language)(open.firmName === null ? 'grants:as' : 'grants:as-through', values)
}

export type GrantView = {
  id: string
  giverName: string
  holderName: string
  kind: string
  /** With its article. */
  role: string
  access: string
  state: string
}

export function viewGrant(
  grant: Described & Pick<Grant, 'id' | 'giverName' | 'holderName' | 'kind'>,
  state: GrantState,
  language: Language = otherwise,
): GrantView {
  return {
    id: grant.id,
    giverName: grant.giverName,
    holderName: grant.holderName,
    kind: kindInWords(grant.kind, language),
    role: oneOf(grant.kind, language),
    access: accessInWords(grant, language),
    state: stateInWords(state, language),
  }
}

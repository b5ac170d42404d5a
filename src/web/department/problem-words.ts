import type { RowFault } from '../../delivery/mailing.ts'
import { type FieldProblem, type ProblemCode, problems } from '../../problems.ts'
import { type Schemes, schemeName } from '../../registry/scheme.ts'
import { hasWords, type Language, type Translate, translate } from '../words.ts'

/** Why a letter was refused, or waits, as the API says it; in English where no letter is refused for such a reason. */
export function problemInWords(code: ProblemCode, t: Translate): string {
  return hasWords(`problems:${code}`) ? t(`problems:${code}`) : problems[code][2]
}

/** What is wrong with a field of a refused letter. Undefined where only its sentence was written down, or another program has said it. */
export function fieldInWords({ fault }: FieldProblem, schemes: Schemes, language: Language): string | undefined {
  if (fault === undefined) return undefined
  if ('scheme' in fault) return rowFaultInWords(fault, schemes, language)
  const key = fault.code in problems ? `problems:${fault.code}` : `staff-batches:faults.${fault.code}`
  const allowed =
    'allowed' in fault ? new Intl.ListFormat(`${language}-GB`, { type: 'disjunction' }).format(fault.allowed) : undefined
  return hasWords(key) ? translate(language)(key, { ...fault, allowed }) : undefined
}

/** What is wrong with a row, on its page and in its file. A scheme that the installation has no more is called as it was written down. */
export function rowFaultInWords(fault: RowFault, schemes: Schemes, language: Language): string {
  const { code, ...values } = fault
  const known = 'scheme' in fault ? schemes.get(fault.scheme) : undefined
  return translate(language)(`staff-mailings:row-faults.${code}`, {
    ...values,
    // Numbers in text are from before.
    ...('max' in fault && { max: fault.max.toLocaleString('en-GB') }),
    ...(known && { scheme: schemeName(known, language) }),
  })
}

import { type ProblemCode, problems } from '../../problems.ts'
import { hasWords, type Translate } from '../words.ts'

/** Why a letter was refused, or waits, as the API says it; in English where no letter is refused for such a reason. */
export function problemInWords(code: ProblemCode, t: Translate): string {
  return hasWords(`problems:${code}`) ? t(`problems:${code}`) : problems[code][2]
}

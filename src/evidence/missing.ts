/** Why a checkpoint does not have what should vouch for it. `why`: what is wrong with a time stamp, in a sentence. */
export type Missing =
  | { code: 'witness-not-reached' | 'witness-unsteady' | 'witness-behind'; witness: string }
  | { code: 'witness-late'; witness: string; ms: number }
  | { code: 'witness-too-long'; witness: string; bytes: number }
  | { code: 'witness-refused'; witness: string; status: number }
  | { code: 'witness-ahead'; witness: string; seen: number; size: number }
  | { code: 'stamp-not-reached' | 'stamp-other-type' | 'stopping' }
  | { code: 'stamp-late'; ms: number }
  | { code: 'stamp-too-long'; bytes: number }
  | { code: 'stamp-status'; status: number }
  | { code: 'stamp-wrong'; why: string }

/** For who runs the program. Pages have words of their own. */
export function missingInEnglish(missing: Missing): string {
  switch (missing.code) {
    case 'witness-not-reached':
      return `The witness ${missing.witness} could not be reached.`
    case 'witness-unsteady':
      return `The witness ${missing.witness} says something else each time of what it has seen.`
    case 'witness-behind':
      return `The witness ${missing.witness} has not cosigned this or a later one.`
    case 'witness-late':
      return `The witness ${missing.witness} did not answer within ${missing.ms} ms.`
    case 'witness-too-long':
      return `The witness ${missing.witness} answered with more than ${missing.bytes} bytes.`
    case 'witness-refused':
      return `The witness ${missing.witness} refused, with status ${missing.status}.`
    case 'witness-ahead':
      return `The witness ${missing.witness} has seen ${missing.seen} entries, where this checkpoint has ${missing.size}.`
    case 'stamp-not-reached':
      return 'The time-stamp authority could not be reached.'
    case 'stamp-other-type':
      return 'The time-stamp authority answered with something else.'
    case 'stopping':
      return 'The program was stopping.'
    case 'stamp-late':
      return `The time-stamp authority did not answer within ${missing.ms} ms.`
    case 'stamp-too-long':
      return `The time-stamp authority answered with more than ${missing.bytes} bytes.`
    case 'stamp-status':
      return `The time-stamp authority answered with status ${missing.status}.`
    case 'stamp-wrong':
      return missing.why
  }
}

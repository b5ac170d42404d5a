import { type Static, Type } from 'typebox'
import { Errors } from 'typebox/value'
import { type FieldFault, faultInEnglish } from '../problems.ts'

/**
 * A kind of identifier that means the same at every service of the installation, such as a national insurance number. Any other
 * scheme is a service's own: free text, which means nobody at another service.
 */
export const Scheme = Type.Object(
  {
    scheme: Type.String({ pattern: '^(?!link$)[a-z][a-z0-9-]{0,31}$' }),
    name: Type.String({ minLength: 1, maxLength: 100 }),
    /** What pages in other languages call it, by language: `{ "cy": "Rhif GIG" }`. Without one they say `name`. */
    names: Type.Optional(
      Type.Record(Type.String({ pattern: '^[a-z]{2}$' }), Type.String({ minLength: 1, maxLength: 100 }), {
        additionalProperties: false,
      }),
    ),
    /** Of the value once it is normalised: no spaces or hyphens, capital letters, and `prefix` and `length` seen to. */
    pattern: Type.String({ minLength: 1, maxLength: 500 }),
    /** Capital letters that may stand before the value, or after it, and mean nothing. */
    dropped: Type.Optional(Type.String({ pattern: '^[A-Z]{1,4}$' })),
    /** Digits are filled up to this length with zeros, which people leave out. */
    length: Type.Optional(Type.Integer({ minimum: 1, maximum: 64 })),
    /** How the check digits are worked out, where the scheme has them. */
    check: Type.Optional(Type.Enum(['nhs-number', 'utr', 'vat', 'luhn'])),
  },
  { additionalProperties: false },
)
export type Scheme = Static<typeof Scheme>
/** The schemes of an installation, by their slugs. */
export type Schemes = ReadonlyMap<string, Scheme>

/** Instead of a service, for identifiers of the whole installation. */
export const installationNamespace = '00000000-0000-0000-0000-000000000000'

const nino: Scheme = {
  scheme: 'nino',
  name: 'National Insurance number',
  names: { cy: 'Rhif Yswiriant Gwladol' },
  // HMRC's manual NIM39110: letters and pairs that are not given out.
  pattern: '^(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\\d{6}[A-D]$',
}
/** QQ is never given out, so a number with it is nobody's: for demos and tests. */
const ninoOfDemo: Scheme = { ...nino, pattern: `${nino.pattern}|^QQ\\d{6}[A-D]$` }

const othersOfTheUnitedKingdom: readonly Scheme[] = [
  { scheme: 'nhs-number', name: 'NHS number', names: { cy: 'Rhif GIG' }, pattern: '^\\d{10}$', check: 'nhs-number' },
  {
    scheme: 'utr',
    name: 'Unique Taxpayer Reference',
    names: { cy: 'Cyfeirnod Unigryw y Trethdalwr' },
    pattern: '^\\d{10}$',
    dropped: 'K',
    check: 'utr',
  },
  {
    scheme: 'company-number',
    name: 'Company number',
    names: { cy: 'Rhif cwmni' },
    // Eight digits in England and Wales; a prefix of two letters elsewhere and for other kinds of bodies; old Northern Irish ones.
    pattern:
      '^(\\d{8}|(SC|NI|OC|SO|NC|LP|SL|NL|FC|SF|NF|CE|CS|IC|SI|AC|SA|NA|IP|SP|NP|RC|SR|NR|RS|GE|GS|GN|SE|OE|PC|ZC|SZ|NZ|NO)\\d{6}|R0\\d{6})$',
    length: 8,
  },
  {
    scheme: 'vat',
    name: 'VAT registration number',
    names: { cy: 'Rhif cofrestru TAW' },
    pattern: '^\\d{9}$',
    dropped: 'GB',
    check: 'vat',
  },
]

/** The United Kingdom's schemes, or those that the installation declares in their place. Throws a sentence that says what is wrong. */
export function readSchemes(declared: unknown, options: { demo: boolean }): Schemes {
  if (declared === undefined) return byScheme([options.demo ? ninoOfDemo : nino, ...othersOfTheUnitedKingdom])
  const [wrong] = Errors(Type.Array(Scheme, { minItems: 1 }), declared)
  if (wrong !== undefined) throw new Error(`${wrong.instancePath || '/'} ${wrong.message}`)
  const schemes = declared as Scheme[]
  for (const [index, { pattern }] of schemes.entries()) {
    if (!isPattern(pattern)) throw new Error(`/${index}/pattern is no regular expression`)
  }
  return byScheme(schemes)
}

function isPattern(pattern: string): boolean {
  try {
    return new RegExp(pattern, 'u') instanceof RegExp
  } catch {
    return false
  }
}

function byScheme(schemes: readonly Scheme[]): Schemes {
  return new Map(schemes.map((scheme) => [scheme.scheme, scheme]))
}

/** Under which id an identifier is known: the service's, or that of the installation. */
export function namespaceOf(schemes: Schemes, serviceId: string, scheme: string): string {
  return schemes.has(scheme) ? installationNamespace : serviceId
}

/** One way of writing a value for all the ways in which people write it. */
export function normalise(schemes: Schemes, scheme: string, value: string): string {
  const known = schemes.get(scheme)
  const text = value.trim().normalize('NFC')
  if (known === undefined) return text
  const bare = text.replaceAll(/[\s.\-–/]/gu, '').toUpperCase()
  return fill(known, drop(known, bare))
}

function drop({ dropped }: Scheme, value: string): string {
  if (dropped === undefined) return value
  if (value.startsWith(dropped)) return value.slice(dropped.length)
  return value.endsWith(dropped) ? value.slice(0, -dropped.length) : value
}

/** SC1234 is SC001234: the zeros go after the letters. */
function fill({ length }: Scheme, value: string): string {
  if (length === undefined) return value
  const [, letters, digits] = /^([A-Z]*)(\d+)$/.exec(value) ?? []
  return digits === undefined ? value : letters + digits.padStart(length - letters!.length, '0')
}

export type Flaw = 'form' | 'check-digit'

/** What is wrong with a value of a scheme of the installation; undefined where nothing is. */
export function flawOf(schemes: Schemes, scheme: string, value: string): Flaw | undefined {
  const known = schemes.get(scheme)
  if (known === undefined) return undefined
  const normal = normalise(schemes, scheme, value)
  if (!new RegExp(known.pattern, 'u').test(normal)) return 'form'
  return known.check === undefined || checks[known.check](normal) ? undefined : 'check-digit'
}

/** What is wrong with a value of any scheme, not repeating it; undefined where nothing is. */
export function faultOf(schemes: Schemes, scheme: string, value: string): FieldFault | undefined {
  if (!schemes.has(scheme)) return value.trim() === '' ? { code: 'identifier-empty' } : undefined
  const flaw = flawOf(schemes, scheme, value)
  return flaw && { code: `identifier-${flaw}`, scheme }
}

/** The same in a sentence. */
export function whatIsWrong(schemes: Schemes, scheme: string, value: string): string | undefined {
  const fault = faultOf(schemes, scheme, value)
  if (fault === undefined) return undefined
  return faultInEnglish('scheme' in fault ? { ...fault, scheme: schemes.get(scheme)!.name } : fault)
}

/** What a page in this language calls a scheme. */
export function schemeName({ name, names }: Pick<Scheme, 'name' | 'names'>, language: string): string {
  return names?.[language] ?? name
}

const weigh = (digits: string, weights: readonly number[]) =>
  weights.reduce((sum, weight, place) => sum + weight * Number(digits[place]), 0)

const checks: Record<NonNullable<Scheme['check']>, (digits: string) => boolean> = {
  // The tenth digit; where it would have to be 10 the number is not given out.
  'nhs-number': (digits) => (11 - (weigh(digits, [10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11)) % 11 === Number(digits[9]),
  // The first digit, from the nine that follow.
  utr: (digits) => '21987654321'[weigh(digits.slice(1), [6, 7, 8, 9, 10, 5, 4, 3, 2]) % 11] === digits[0],
  // The last two digits; numbers given out since 2010 have 55 added.
  vat: (digits) => {
    const sum = weigh(digits, [8, 7, 6, 5, 4, 3, 2]) + Number(digits.slice(7))
    return sum % 97 === 0 || (sum + 55) % 97 === 0
  },
  luhn: (digits) =>
    [...digits].reverse().reduce((sum, digit, place) => sum + ((Number(digit) * (1 + (place % 2)) - 1) % 9) + 1, 0) % 10 === 0,
}

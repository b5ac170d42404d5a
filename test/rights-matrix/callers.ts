/**
 * Everybody who comes to a door. Of persons, all but Arthur have to do with Rosa's mailbox or with that of Example Bakery:
 * `reader` and `writer` help Rosa with all her post, `limited` writes for her with one service only, `narrow` reads one category
 * of her post, and `ended` could until a moment ago and still has her mailbox open. Of the bakery, `employee` writes, `adviser`
 * is from outside and writes with one service only, and `administrator` manages its people and reads no post. `colleague` and
 * `leaver` have Rosa's mailbox open through a firm that she let write with one service only: `colleague` is its employee and
 * reads, `leaver` was until a moment ago.
 */
export const persons = [
  'rosa',
  'arthur',
  'reader',
  'writer',
  'limited',
  'narrow',
  'ended',
  'employee',
  'adviser',
  'administrator',
  'colleague',
  'leaver',
] as const

/** `staff` has all roles for council tax, `clerk` only reads its post, `parkingStaff` is of another service of that council, `pensionStaff` of another public body. */
export const staff = ['staff', 'clerk', 'parkingStaff', 'pensionStaff'] as const

/** Likewise; `lookupSystem` is of council tax, and its token holds the right to ask for recipients only. */
export const systems = ['system', 'parkingSystem', 'pensionSystem', 'lookupSystem'] as const

export const registrars = ['registrar', 'otherRegistrar'] as const

export const callers = ['stranger', ...persons, ...staff, ...systems, ...registrars] as const
export type Person = (typeof persons)[number]
export type Staff = (typeof staff)[number]
export type System = (typeof systems)[number]
export type Registrar = (typeof registrars)[number]
export type Caller = (typeof callers)[number]

/** Who has Rosa's mailbox open and is let in. */
export const atRosas = ['rosa', 'reader', 'writer', 'limited', 'narrow', 'colleague'] as const
export const atBakery = ['employee', 'adviser', 'administrator'] as const
/** Who acts for the council, for council tax there, and for the other public body. */
export const ofCouncilTax = ['staff', 'clerk', 'system'] as const
export const ofParking = ['parkingStaff', 'parkingSystem'] as const
export const ofPension = ['pensionStaff', 'pensionSystem'] as const

import { createHmac } from 'node:crypto'
import { deriveKey } from '../seal.ts'

export const invitationDays = 14

/** Crockford's: no letter that is taken for a digit, and none that makes a word of it. */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const characters = 12
const groupLength = 4

export function deriveInvitationKey(secretKey: Buffer): Buffer {
  return deriveKey(secretKey, 'grant invitation')
}

/**
 * The code by which the other side accepts: ABCD-EFGH-JKMN, 60 bits. It follows from the grant and our key, so that whoever gave
 * it can see it again, and is kept nowhere.
 */
export function invitationCode(key: Buffer, grantId: string): string {
  const bytes = createHmac('sha256', key).update(`code ${grantId}`).digest()
  const letters = Array.from({ length: characters }, (_, place) => alphabet[bytes[place]! % alphabet.length]).join('')
  return letters.match(new RegExp(`.{${groupLength}}`, 'g'))!.join('-')
}

/** Under which the code is found. With our key, so that who reads the database cannot try all codes. */
export function hashInvitationCode(key: Buffer, code: string): Buffer {
  return createHmac('sha256', key)
    .update(`hash ${plainCode(code)}`)
    .digest()
}

/** Whatever it is typed like. */
function plainCode(code: string): string {
  return code
    .toUpperCase()
    .replaceAll('O', '0')
    .replaceAll(/[IL]/g, '1')
    .replaceAll(/[^0-9A-Z]/g, '')
}

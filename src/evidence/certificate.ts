import { X509Certificate } from 'node:crypto'
import type * as asn1js from 'asn1js'
import * as pkijs from 'pkijs'
import { answerOr, isSame, readDer, refuseUnless } from './der.ts'

// Certificates (RFC 5280) of those who sign time-stamps: what each may be used for, and whom it leads to.

/** Certificates between the signing one and the trusted one, at most. */
const intermediatesMax = 4

const oid = {
  keyUsage: '2.5.29.15',
  subjectKeyIdentifier: '2.5.29.14',
  basicConstraints: '2.5.29.19',
  certificatePolicies: '2.5.29.32',
  extKeyUsage: '2.5.29.37',
  timeStamping: '1.3.6.1.5.5.7.3.8',
  anyExtendedKeyUsage: '2.5.29.37.0',
}

/** Hashes that a signature may be over. Not SHA-1, nor what is older. */
export const hashes: Record<string, string> = {
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
}

/** Signatures: the key's type and the hash; plain rsaEncryption takes the hash of `digestAlgorithm` (RFC 5754, section 3.2). */
export const signatures: Record<string, { keyType: string; hash?: string }> = {
  '1.2.840.113549.1.1.1': { keyType: 'rsa' },
  '1.2.840.113549.1.1.11': { keyType: 'rsa', hash: 'sha256' },
  '1.2.840.113549.1.1.12': { keyType: 'rsa', hash: 'sha384' },
  '1.2.840.113549.1.1.13': { keyType: 'rsa', hash: 'sha512' },
  '1.2.840.10045.4.3.2': { keyType: 'ec', hash: 'sha256' },
  '1.2.840.10045.4.3.3': { keyType: 'ec', hash: 'sha384' },
  '1.2.840.10045.4.3.4': { keyType: 'ec', hash: 'sha512' },
}

/** By name only: a certificate that spells out parameters of its own could be for a weaker curve. */
const curves = ['prime256v1', 'secp384r1', 'secp521r1', 'brainpoolP256r1', 'brainpoolP384r1', 'brainpoolP512r1']

/** A certificate as PEM (one or several after each other) or DER. */
export type CertificateBytes = string | Uint8Array

export type Certificate = { raw: Uint8Array; x509: X509Certificate; parts: pkijs.Certificate }

export function readCertificate(bytes: CertificateBytes): Certificate {
  const x509 = new X509Certificate(bytes)
  const raw = new Uint8Array(x509.raw)
  return { raw, x509, parts: new pkijs.Certificate({ schema: readDer(raw) }) }
}

export function readTrusted(trusted: readonly CertificateBytes[]): Certificate[] {
  return trusted.flatMap((bytes) => {
    const pems = typeof bytes === 'string' ? bytes.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) : [bytes]
    const certificates = answerOr('', () => pems!.map(readCertificate))
    refuseUnless(typeof certificates !== 'string', 'A certificate that is to be trusted cannot be read.')
    return certificates
  })
}

/** RSA of 2,048 to 8,192 bits (longer ones only cost time), or a curve that has a name. */
export function isStrong({ publicKey }: X509Certificate, keyType: string): boolean {
  const { modulusLength = 0, namedCurve = '' } = publicKey.asymmetricKeyDetails ?? {}
  if (publicKey.asymmetricKeyType !== keyType) return false
  return keyType === 'rsa' ? modulusLength >= 2048 && modulusLength <= 8192 : curves.includes(namedCurve)
}

function extensionOf({ extensions = [] }: pkijs.Certificate, id: string): pkijs.Extension | undefined {
  const [extension, ...others] = extensions.filter(({ extnID }) => extnID === id)
  refuseUnless(others.length === 0, 'A certificate of the time-stamp has an extension twice.')
  return extension
}

/** By which its key may be named (RFC 5280, section 4.2.1.2). */
export function keyIdentifierOf(parts: pkijs.Certificate): Uint8Array | undefined {
  const identifier = extensionOf(parts, oid.subjectKeyIdentifier)?.parsedValue as asn1js.OctetString | undefined
  return identifier?.valueBlock.valueHexView
}

/** What a certificate's key may be used for (RFC 5280, section 4.2.1.12), or undefined where it does not say. */
function purposesOf(parts: pkijs.Certificate): string[] | undefined {
  const extension = extensionOf(parts, oid.extKeyUsage)
  return extension && (extension.parsedValue as pkijs.ExtKeyUsage).keyPurposes
}

/** For time-stamps and nothing else (RFC 3161, section 2.3). */
export function checkUsage({ parts }: Certificate): void {
  const purposes = purposesOf(parts) ?? []
  const isOnly = purposes.length === 1 && purposes[0] === oid.timeStamping
  const isCritical = extensionOf(parts, oid.extKeyUsage)?.critical === true
  refuseUnless(isCritical && isOnly, 'The certificate that signed the time-stamp is not for time-stamps only.')
  refuseUnless(hasKnownExtensions(parts), 'The certificate that signed the time-stamp has an unknown critical extension.')
  const keyUsage = extensionOf(parts, oid.keyUsage)?.parsedValue as asn1js.BitString | undefined
  // Its bits: digitalSignature (the first) or nonRepudiation (the second), and no other.
  const [first = 0, second = 0] = keyUsage?.valueBlock.valueHexView ?? [0x80]
  const isForSignatures = (first & 0xc0) !== 0 && (first & 0x3f) === 0 && second === 0
  refuseUnless(isForSignatures, 'The certificate that signed the time-stamp is not for signatures only.')
}

// Name constraints among them: a chain that has any is refused, as we do not apply them.
function hasKnownExtensions({ extensions = [] }: pkijs.Certificate): boolean {
  const known = [oid.keyUsage, oid.basicConstraints, oid.certificatePolicies, oid.extKeyUsage, oid.subjectKeyIdentifier]
  return extensions.every(({ critical, extnID }) => !critical || known.includes(extnID))
}

export function isValidAt({ x509 }: Certificate, at: Date): boolean {
  return x509.validFromDate <= at && at <= x509.validToDate
}

/**
 * Whether the certificate is a trusted one, or a chain of at most four others, valid at the time, leads from it to one. Breadth
 * first, and no certificate twice: the shortest chain, and no more work than certificates times certificates.
 */
export function leadsToTrusted(
  signing: Certificate,
  others: readonly Certificate[],
  anchors: readonly Certificate[],
  at: Date,
): boolean {
  const isAnchor = ({ raw }: Certificate) => anchors.some((anchor) => isSame(anchor.raw, raw))
  const left = new Set([...anchors, ...others])
  let reached = [signing]
  for (let intermediates = 0; intermediates <= intermediatesMax; intermediates++) {
    if (reached.some(isAnchor)) return true
    const issuers = [...left].filter((issuer) => reached.some((subject) => issued(issuer, subject, intermediates)))
    reached = issuers.filter((issuer) => isValidAt(issuer, at))
    for (const issuer of reached) left.delete(issuer)
  }
  return reached.some(isAnchor)
}

/** Whether one certificate is an authority's and signed the other, with so many authorities between it and the signing one. */
function issued(issuer: Certificate, subject: Certificate, intermediates: number): boolean {
  // checkIssued asks for names, key identifiers and keyCertSign; not for the signature, nor for what follows here.
  if (!issuer.x509.ca || !subject.x509.checkIssued(issuer.x509)) return false
  const { parts } = issuer
  const constraints = extensionOf(parts, oid.basicConstraints)?.parsedValue as pkijs.BasicConstraints | undefined
  const isLongEnough = Number(constraints?.pathLenConstraint ?? intermediates) >= intermediates
  const purposes = purposesOf(parts) ?? [oid.anyExtendedKeyUsage]
  const isForTime = purposes.includes(oid.timeStamping) || purposes.includes(oid.anyExtendedKeyUsage)
  if (!isLongEnough || !isForTime || !hasKnownExtensions(parts)) return false
  const algorithm = signatures[subject.parts.signatureAlgorithm.algorithmId]
  if (algorithm?.hash === undefined || !isStrong(issuer.x509, algorithm.keyType)) return false
  return subject.x509.verify(issuer.x509.publicKey)
}

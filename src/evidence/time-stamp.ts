import { createHash, verify as verifySignature } from 'node:crypto'
import * as asn1js from 'asn1js'
import * as pkijs from 'pkijs'
import {
  type Certificate,
  type CertificateBytes,
  checkUsage,
  hashes,
  isStrong,
  isValidAt,
  keyIdentifierOf,
  leadsToTrusted,
  readCertificate,
  readTrusted,
  signatures,
} from './certificate.ts'
import { answerOr, childrenOf, isSame, numberOf, readDer, refuseUnless } from './der.ts'

// Time-stamps as of RFC 3161, updated by RFC 5816: an authority signs, in a CMS SignedData (RFC 5652), that it saw a hash at a time.
// pkijs reads the structures; OpenSSL (node:crypto) has the signatures, as it knows more curves than Web Crypto. pkijs's own
// verify() was passed over: it asks neither for what the certificate may be used, nor for ESSCertID, nor for signed attributes at all.

/** How long a token, a request or an answer may be, in bytes. A usual token, with three certificates, has under 7,000. */
export const timeStampBytesMax = 65_536
const certificatesMax = 16

const oid = {
  signedData: '1.2.840.113549.1.7.2',
  tstInfo: '1.2.840.113549.1.9.16.1.4',
  contentType: '1.2.840.113549.1.9.3',
  messageDigest: '1.2.840.113549.1.9.4',
  signingCertificate: '1.2.840.113549.1.9.16.2.12',
  signingCertificateV2: '1.2.840.113549.1.9.16.2.47',
  sha256: '2.16.840.1.101.3.4.2.1',
}

/** What an authority says: that the data existed at this time. */
export type TimeStamp = {
  at: Date
  /** How far off `at` may be, to either side, in milliseconds; absent where the authority does not say. */
  accuracyMs?: number
  /** The subject of the certificate that signed, as `CN=Example, O=Example`. */
  authority: string
  /** The authority's number of this time-stamp, in hexadecimal. */
  serial: string
}

/**
 * The DER of a TimeStampReq (RFC 3161, section 2.4.1): the SHA-256 of the data, a number that the answer must repeat, and the
 * wish to have the authority's certificate in the token.
 */
export function timeStampRequest(data: Uint8Array, nonce: Uint8Array): Uint8Array {
  const request = new pkijs.TimeStampReq({
    version: 1,
    messageImprint: new pkijs.MessageImprint({
      hashAlgorithm: new pkijs.AlgorithmIdentifier({ algorithmId: oid.sha256, algorithmParams: new asn1js.Null() }),
      hashedMessage: new asn1js.OctetString({ valueHex: hash('sha256', data) }),
    }),
    nonce: asn1js.Integer.fromBigInt(numberOf(nonce)),
    certReq: true,
  })
  return new Uint8Array(request.toSchema().toBER())
}

/**
 * The DER of the TimeStampToken in a TimeStampResp (RFC 3161, section 2.4.2), or a sentence why there is none. The token is for
 * this data and nonce, but its signature has not been looked at: verifyTimeStamp does.
 */
export function readTimeStampResponse(der: Uint8Array, data: Uint8Array, nonce: Uint8Array): Uint8Array | string {
  return answerOr('The answer is not a time-stamp response.', () => {
    refuseUnless(der.length <= timeStampBytesMax, `The time-stamp response has more than ${timeStampBytesMax} bytes.`)
    const block = readDer(der)
    const { status, timeStampToken } = new pkijs.TimeStampResp({ schema: block })
    refuseUnless(status.status <= 1, refusalInWords(status))
    refuseUnless(timeStampToken !== undefined, 'The time-stamp response holds no token.')
    const token = block.valueBlock.value[1]!.valueBeforeDecodeView.slice()
    const { tstInfo } = readToken(token)
    refuseUnless(tstInfo.nonce?.toBigInt() === numberOf(nonce), 'The time-stamp answers another request: its nonce is another.')
    checkImprint(tstInfo, data)
    return token
  })
}

/** RFC 3161, section 2.4.2. */
const statusNames: Record<number, string> = {
  2: 'rejection',
  3: 'waiting',
  4: 'revocation warning',
  5: 'revocation notification',
}
const failureNames: Record<number, string> = {
  0: 'the hash algorithm is not supported',
  2: 'the request is not permitted or supported',
  5: 'the data has the wrong format',
  14: 'its time source is not available',
  15: 'the policy is not supported',
  16: 'an extension is not supported',
  17: 'the further information is not available',
  25: 'a failure of its system',
}

// Without its statusString: what an authority writes there should not end up in our log.
function refusalInWords({ status, failInfo }: pkijs.PKIStatusInfo): string {
  const bits = failInfo?.valueBlock.valueHexView ?? new Uint8Array()
  const reasons = Object.entries(failureNames).filter(([bit]) => ((bits[+bit >> 3] ?? 0) >> (7 - (+bit & 7))) & 1)
  const why = reasons.length > 0 ? `: ${reasons.map(([, words]) => words).join(', ')}` : ''
  return `The time-stamp authority refused (${statusNames[status]})${why}.`
}

/**
 * What a TimeStampToken (the DER of its ContentInfo) says about the data, or a sentence why it says nothing. Holds it against RFC
 * 3161, sections 2.3 and 2.4.2, RFC 5652, section 5, RFC 5035 and 5816, and RFC 5280, section 6. The certificates are looked at as
 * of the token's own time; whether one was revoked is not asked. Never throws, whatever the bytes.
 */
export function verifyTimeStamp(token: Uint8Array, data: Uint8Array, trusted: readonly CertificateBytes[]): TimeStamp | string {
  return answerOr('The time-stamp token cannot be read.', () => {
    const { tstInfo, content, at, signerInfo, certificates } = readToken(token)
    checkImprint(tstInfo, data)
    const signing = certificates.find((certificate) => isOf(signerInfo, certificate))
    refuseUnless(signing !== undefined, 'The certificate that signed the time-stamp is not in it.')
    checkSignature(signerInfo, content, signing)
    checkUsage(signing)
    refuseUnless(isValidAt(signing, at), 'The time-stamp was made outside the validity of the certificate that signed it.')
    refuseUnless(
      leadsToTrusted(signing, certificates, readTrusted(trusted), at),
      'The certificate that signed the time-stamp leads to none that is trusted.',
    )
    const accuracyMs = accuracyOf(tstInfo)
    return {
      at,
      ...(accuracyMs === undefined ? {} : { accuracyMs }),
      authority: signing.x509.subject.split('\n').join(', '),
      serial: tstInfo.serialNumber.toBigInt().toString(16),
    }
  })
}

/** The certificates in a token, as PEM, the one that signed first; none where it cannot be read. Nothing is verified. */
export function timeStampCertificates(token: Uint8Array): string[] {
  const found = answerOr('', () => {
    const { signerInfo, certificates } = readToken(token)
    const [signing, others] = [true, false].map((is) => certificates.filter((one) => isOf(signerInfo, one) === is))
    return [...signing!, ...others!].map(({ x509 }) => x509.toString())
  })
  return typeof found === 'string' ? [] : found
}

type Token = {
  tstInfo: pkijs.TSTInfo
  /** The bytes of TSTInfo, which the signed attributes hold the hash of. */
  content: Uint8Array
  at: Date
  signerInfo: pkijs.SignerInfo
  certificates: readonly Certificate[]
}

/** Takes a TimeStampToken apart. Throws where it is none. Nothing in it is verified yet. */
function readToken(token: Uint8Array): Token {
  refuseUnless(token.length <= timeStampBytesMax, `The time-stamp token has more than ${timeStampBytesMax} bytes.`)
  const { contentType, content: signedDataBlock } = new pkijs.ContentInfo({ schema: readDer(token) })
  refuseUnless(contentType === oid.signedData, 'The time-stamp token is not signed data.')
  const { version, digestAlgorithms, encapContentInfo, certificates, signerInfos } = readSignedData(signedDataBlock)
  const { eContentType, eContent } = encapContentInfo
  const isPlain = eContent?.idBlock.tagClass === 1 && eContent.idBlock.tagNumber === 4
  refuseUnless(version === 3 && eContentType === oid.tstInfo && isPlain, 'What is signed is not a time-stamp.')
  const [signerInfo] = signerInfos
  refuseUnless(signerInfo !== undefined && signerInfos.length === 1, 'A time-stamp token has one signature, no more.')
  const algorithms = [...digestAlgorithms, signerInfo.digestAlgorithm, signerInfo.signatureAlgorithm]
  refuseUnless(algorithms.every(hasNoParameters), 'The time-stamp names an algorithm with parameters, which are not known.')
  refuseUnless(
    digestAlgorithms.some(({ algorithmId }) => algorithmId === signerInfo.digestAlgorithm.algorithmId),
    'The time-stamp token does not name the hash that its signature is over.',
  )
  const content = eContent.valueBlock.valueHexView
  const block = readDer(content)
  const tstInfo = new pkijs.TSTInfo({ schema: block })
  refuseUnless(tstInfo.version === 1, 'The time-stamp is of an unknown version.')
  // RFC 3161: extensions that are critical must be understood, and we know none.
  refuseUnless(!tstInfo.extensions?.some(({ critical }) => critical), 'The time-stamp has an unknown critical extension.')
  const at = readGenTime((block.valueBlock.value[4] as asn1js.GeneralizedTime).valueBlock.valueHexView)
  return { tstInfo, content, at, signerInfo, certificates }
}

function hasNoParameters({ algorithmParams }: pkijs.AlgorithmIdentifier): boolean {
  return algorithmParams === undefined || algorithmParams instanceof asn1js.Null
}

/**
 * The parts of a SignedData (RFC 5652, section 5.1), but its revocation lists. One by one, as pkijs.SignedData takes ten times as
 * long, most of it for certificates, which are wanted as their bytes came: these are what is hashed.
 */
function readSignedData(block: unknown) {
  const children = childrenOf(block)
  const [version, algorithms, encapsulated] = children
  // Certificates [0], which we always ask for, and revocation lists [1], which we do not read.
  const optional = children.slice(3, -1)
  const isInOrder = optional.every(({ idBlock }, at) => idBlock.tagClass === 3 && idBlock.tagNumber === at)
  refuseUnless(isInOrder && (optional.length === 1 || optional.length === 2), 'The time-stamp token has no certificates.')
  const blocks = childrenOf(optional[0])
  refuseUnless(blocks.length <= certificatesMax, `The time-stamp token has more than ${certificatesMax} certificates.`)
  return {
    version: (version as asn1js.Integer).valueBlock.valueDec,
    digestAlgorithms: childrenOf(algorithms).map((schema) => new pkijs.AlgorithmIdentifier({ schema })),
    encapContentInfo: new pkijs.EncapsulatedContentInfo({ schema: encapsulated }),
    certificates: blocks.map(({ valueBeforeDecodeView }) => {
      const certificate = readCertificate(valueBeforeDecodeView.slice())
      // X509Certificate takes PEM too, with anything before it.
      refuseUnless(isSame(certificate.raw, valueBeforeDecodeView), 'A certificate in the time-stamp token is not in DER.')
      return certificate
    }),
    signerInfos: childrenOf(children.at(-1)).map((schema) => new pkijs.SignerInfo({ schema })),
  }
}

// Not as asn1js reads it, which takes times of no zone for local ones, days that no month has, and rounds fractions down too far.
function readGenTime(bytes: Uint8Array): Date {
  const [, seconds, fraction = ''] = /^(\d{14})(?:\.(\d{1,9}))?Z$/.exec(Buffer.from(bytes).toString('latin1')) ?? []
  refuseUnless(seconds !== undefined, 'The time of the time-stamp is not well formed.')
  const iso = seconds.replace(/^(....)(..)(..)(..)(..)(..)$/, '$1-$2-$3T$4:$5:$6')
  const at = new Date(`${iso}.${fraction.slice(0, 3).padEnd(3, '0')}Z`)
  const isInCalendar = !Number.isNaN(at.getTime()) && at.toISOString().startsWith(iso)
  refuseUnless(isInCalendar, 'The time of the time-stamp is not well formed.')
  return at
}

function accuracyOf({ accuracy }: pkijs.TSTInfo): number | undefined {
  if (accuracy === undefined) return undefined
  return (accuracy.seconds ?? 0) * 1000 + (accuracy.millis ?? 0) + (accuracy.micros ?? 0) / 1000
}

function checkImprint({ messageImprint }: pkijs.TSTInfo, data: Uint8Array): void {
  const { hashAlgorithm, hashedMessage } = messageImprint
  refuseUnless(hashAlgorithm.algorithmId === oid.sha256, 'The time-stamp is over another hash than SHA-256.')
  refuseUnless(isSame(hashedMessage.valueBlock.valueHexView, hash('sha256', data)), 'The time-stamp is for other data.')
}

/** Whether a signature's SignerIdentifier (RFC 5652, section 5.3) names this certificate. */
function isOf({ version, sid }: pkijs.SignerInfo, { parts }: Certificate): boolean {
  if (sid instanceof pkijs.IssuerAndSerialNumber) {
    // By their bytes: pkijs's isEqual takes names for equal that differ in case.
    const [issuer, named] = [parts.issuer, sid.issuer].map(({ valueBeforeDecode }) => new Uint8Array(valueBeforeDecode))
    return version === 1 && isSame(issuer!, named!) && parts.serialNumber.isEqual(sid.serialNumber)
  }
  const keyIdentifier = keyIdentifierOf(parts)
  const named = (sid as asn1js.Primitive).valueBlock.valueHexView
  return version === 3 && keyIdentifier !== undefined && isSame(keyIdentifier, named)
}

/** Signed attributes (RFC 5652, section 5.4 and 11), ESSCertID (RFC 5035, 5816), and the signature over them. */
function checkSignature(signerInfo: pkijs.SignerInfo, content: Uint8Array, { raw, x509 }: Certificate): void {
  const { signedAttrs, digestAlgorithm, signatureAlgorithm, signature } = signerInfo
  const digest = hashes[digestAlgorithm.algorithmId]
  refuseUnless(digest !== undefined, 'The time-stamp is signed over a hash that is not accepted.')
  refuseUnless(signedAttrs !== undefined, 'The time-stamp has no signed attributes.')

  const contentType = attributeOf(signedAttrs, oid.contentType) as asn1js.ObjectIdentifier | undefined
  refuseUnless(contentType?.valueBlock.toString() === oid.tstInfo, 'The signed attributes are not those of a time-stamp.')
  const messageDigest = attributeOf(signedAttrs, oid.messageDigest) as asn1js.OctetString | undefined
  const isContents = messageDigest !== undefined && isSame(messageDigest.valueBlock.valueHexView, hash(digest, content))
  refuseUnless(isContents, 'The signature is over another time-stamp.')

  // Either may be there, or both; each that is must name the certificate. The hash does, so that issuerSerial adds nothing.
  const v1 = attributeOf(signedAttrs, oid.signingCertificate)
  const v2 = attributeOf(signedAttrs, oid.signingCertificateV2)
  const isNamed =
    (v1 !== undefined || v2 !== undefined) && [v1, v2].every((one) => one === undefined || namesCertificate(one, one === v1, raw))
  refuseUnless(isNamed, 'The time-stamp was signed for another certificate (ESSCertID).')

  const algorithm = signatures[signatureAlgorithm.algorithmId]
  refuseUnless(
    algorithm !== undefined && isStrong(x509, algorithm.keyType),
    'The key or algorithm of the time-stamp is not accepted.',
  )
  const isSigned = verifySignature(
    algorithm.hash ?? digest,
    new Uint8Array(signedAttrs.encodedValue),
    x509.publicKey,
    signature.valueBlock.valueHexView,
  )
  refuseUnless(isSigned, 'The signature of the time-stamp is wrong.')
}

/** The one value of an attribute, or undefined where it is not there. Throws where there are several. */
function attributeOf({ attributes }: pkijs.SignedAndUnsignedAttributes, type: string): asn1js.BaseBlock | undefined {
  const [attribute, ...others] = attributes.filter((one) => one.type === type)
  if (attribute === undefined) return undefined
  refuseUnless(others.length === 0 && attribute.values.length === 1, 'A signed attribute of the time-stamp is there twice.')
  return attribute.values[0]
}

/** Whether the first ESSCertID of a SigningCertificate, or ESSCertIDv2 of a SigningCertificateV2, has this certificate's hash. */
function namesCertificate(signingCertificate: asn1js.BaseBlock, isV1: boolean, raw: Uint8Array): boolean {
  const parts = childrenOf(childrenOf(childrenOf(signingCertificate)[0])[0])
  const hasAlgorithm = !isV1 && parts[0] instanceof asn1js.Sequence
  const algorithm = hasAlgorithm ? new pkijs.AlgorithmIdentifier({ schema: parts[0] }).algorithmId : oid.sha256
  // Version 1 knows SHA-1 only. To find another certificate of the same hash takes a second preimage, which nobody can.
  const name = isV1 ? 'sha1' : hashes[algorithm]
  const certHash = parts[hasAlgorithm ? 1 : 0]
  if (name === undefined || !(certHash instanceof asn1js.OctetString)) return false
  return isSame(certHash.valueBlock.valueHexView, hash(name, raw))
}

function hash(name: string, data: Uint8Array): Buffer {
  return createHash(name).update(data).digest()
}

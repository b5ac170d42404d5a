import { createHash, generateKeyPairSync, randomBytes, webcrypto, X509Certificate } from 'node:crypto'
import * as asn1js from 'asn1js'
import * as pkijs from 'pkijs'

/** What a stand-in for a time-stamp authority signs with: a P-256 key (PKCS #8) and its own certificate, both PEM. */
export type TimeStampAuthorityKeys = { privateKeyPem: string; certificatePem: string }

const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }
const tstInfoType = '1.2.840.113549.1.9.16.1.4'
/** A policy that is plainly invented. */
const policy = '1.3.6.1.4.1.99999.1'
/** SHA-256, SHA-384 and SHA-512, and how many bytes each has. */
const hashLengths: Record<string, number> = {
  '2.16.840.1.101.3.4.2.1': 32,
  '2.16.840.1.101.3.4.2.2': 48,
  '2.16.840.1.101.3.4.2.3': 64,
}
/** PKIFailureInfo (RFC 3161, section 2.4.2): which bit. */
const failures = { badAlg: 0, badRequest: 2, badDataFormat: 5, unacceptedPolicy: 15, unacceptedExtension: 16 }

/** A new key, and a certificate for time-stamps only that it signs itself: valid for ten years from the day before. */
export async function makeTimeStampAuthorityKeys(now: Date): Promise<TimeStampAuthorityKeys> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const privateKeyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const certificate = new pkijs.Certificate({ version: 2, serialNumber: randomNumber() })
  const commonName = new asn1js.Utf8String({ value: 'Stand-in for a time-stamp authority' })
  for (const name of [certificate.subject, certificate.issuer]) {
    name.typesAndValues.push(new pkijs.AttributeTypeAndValue({ type: '2.5.4.3', value: commonName as never }))
  }
  certificate.notBefore.value = new Date(now.getTime() - 86_400_000)
  certificate.notAfter.value = new Date(now.getTime() + 10 * 365 * 86_400_000)
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  certificate.subjectPublicKeyInfo = pkijs.PublicKeyInfo.fromBER(new Uint8Array(spki))
  const extend = (extnID: string, value: asn1js.BaseBlock) =>
    new pkijs.Extension({ extnID, critical: true, extnValue: value.toBER() })
  certificate.extensions = [
    extend('2.5.29.15', new asn1js.BitString({ valueHex: new Uint8Array([0x80]), unusedBits: 7 })),
    extend('2.5.29.37', new pkijs.ExtKeyUsage({ keyPurposes: ['1.3.6.1.5.5.7.3.8'] }).toSchema()),
  ]
  await certificate.sign(await importKey(privateKeyPem), 'SHA-256')
  const der = Buffer.from(certificate.toSchema(true).toBER())
  return { privateKeyPem, certificatePem: new X509Certificate(der).toString() }
}

/**
 * Answers the DER of a TimeStampReq with the DER of a TimeStampResp (RFC 3161): a token with the time handed in, or a rejection.
 * Whoever asks gets one, so this is for demo and tests only.
 */
export async function answerTimeStampRequest(keys: TimeStampAuthorityKeys, request: Uint8Array, now: Date): Promise<Uint8Array> {
  let asked: pkijs.TimeStampReq
  try {
    asked = pkijs.TimeStampReq.fromBER(new Uint8Array(request))
  } catch {
    return reject('badDataFormat')
  }
  const { version, messageImprint, reqPolicy, extensions, nonce, certReq } = asked
  const hashLength = hashLengths[messageImprint.hashAlgorithm.algorithmId]
  if (version !== 1) return reject('badRequest')
  if (hashLength === undefined) return reject('badAlg')
  if (messageImprint.hashedMessage.valueBlock.valueHexView.length !== hashLength) return reject('badDataFormat')
  if (reqPolicy !== undefined && reqPolicy !== policy) return reject('unacceptedPolicy')
  if (extensions?.length) return reject('unacceptedExtension')

  const stamp = { version: 1, policy, messageImprint, serialNumber: randomNumber(), genTime: now, nonce }
  const accuracy = new pkijs.Accuracy({ seconds: 1 })
  const tstInfo = new pkijs.TSTInfo({ ...stamp, accuracy }).toSchema().toBER()
  const token = await sign(keys, tstInfo, now, certReq === true)
  const status = new pkijs.PKIStatusInfo({ status: pkijs.PKIStatus.granted })
  return encode(new pkijs.TimeStampResp({ status, timeStampToken: token }))
}

function reject(failure: keyof typeof failures): Uint8Array {
  const bit = failures[failure]
  const bits = new Uint8Array((bit >> 3) + 1)
  bits[bit >> 3] = 0x80 >> (bit & 7)
  const failInfo = new asn1js.BitString({ valueHex: bits, unusedBits: 7 - (bit & 7) })
  return encode(new pkijs.TimeStampResp({ status: new pkijs.PKIStatusInfo({ status: pkijs.PKIStatus.rejection, failInfo }) }))
}

/** A TimeStampToken: the TSTInfo in a SignedData, its certificate named by ESSCertIDv2 (RFC 5816) and there where it is wished. */
async function sign(keys: TimeStampAuthorityKeys, tstInfo: ArrayBuffer, now: Date, certReq: boolean): Promise<pkijs.ContentInfo> {
  const { raw } = new X509Certificate(keys.certificatePem)
  const certificate = pkijs.Certificate.fromBER(new Uint8Array(raw))
  const hash = (bytes: Uint8Array) => new asn1js.OctetString({ valueHex: createHash('sha256').update(bytes).digest() })
  const sequence = (...value: asn1js.BaseBlock[]) => new asn1js.Sequence({ value: value as never })
  const attribute = (type: string, value: asn1js.BaseBlock) => new pkijs.Attribute({ type, values: [value] })
  const { issuer, serialNumber } = certificate
  const signerInfo = new pkijs.SignerInfo({
    version: 1,
    sid: new pkijs.IssuerAndSerialNumber({ issuer, serialNumber }),
    signedAttrs: new pkijs.SignedAndUnsignedAttributes({
      type: 0,
      // In the order of DER, where the encoding of each is longer than that of the one before.
      attributes: [
        attribute('1.2.840.113549.1.9.3', new asn1js.ObjectIdentifier({ value: tstInfoType })),
        attribute('1.2.840.113549.1.9.5', new asn1js.UTCTime({ valueDate: now })),
        attribute('1.2.840.113549.1.9.4', hash(new Uint8Array(tstInfo))),
        attribute('1.2.840.113549.1.9.16.2.47', sequence(sequence(sequence(hash(raw))))),
      ],
    }),
  })
  const encapContentInfo = new pkijs.EncapsulatedContentInfo({ eContentType: tstInfoType })
  // Not through the constructor, which would make a constructed OCTET STRING of it, and that is not DER.
  encapContentInfo.eContent = new asn1js.OctetString({ valueHex: tstInfo })
  const certificates = certReq ? { certificates: [certificate] } : {}
  const signed = new pkijs.SignedData({ version: 3, encapContentInfo, signerInfos: [signerInfo], ...certificates })
  await signed.sign(await importKey(keys.privateKeyPem), 0, 'SHA-256')
  return new pkijs.ContentInfo({ contentType: pkijs.ContentInfo.SIGNED_DATA, content: signed.toSchema(true) })
}

function importKey(privateKeyPem: string): Promise<webcrypto.CryptoKey> {
  const der = Buffer.from(privateKeyPem.replace(/-----[^-]+-----|\s/g, ''), 'base64')
  return webcrypto.subtle.importKey('pkcs8', der, algorithm, false, ['sign'])
}

/** Positive, and of 127 bits, so that no two are the same. */
function randomNumber(): asn1js.Integer {
  return asn1js.Integer.fromBigInt(BigInt(`0x${randomBytes(16).toString('hex')}`) >> 1n)
}

function encode(response: pkijs.TimeStampResp): Uint8Array {
  return new Uint8Array(response.toSchema().toBER())
}

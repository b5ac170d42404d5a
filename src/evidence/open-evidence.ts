import type { Config } from '../config.ts'
import { type Attestors, readAttestors } from './attestors.ts'
import { deriveEvidenceKeys, type EvidenceKeys, readEvidenceKeys } from './keys.ts'
import type { Issuer } from './record.ts'

export type EvidenceSettings = {
  keys: EvidenceKeys
  attestors: Attestors
  /** What the log is called from its first start on. */
  origin: string
  /** Who issues records from now on, but for the log's name. */
  issuer: Omit<Issuer, 'log'>
}

/** What the settings say of evidence. Throws an error with a sentence that names the setting that is wrong. */
export function openEvidence(config: Config): EvidenceSettings {
  const { evidence, secretKey, baseUrl } = config
  const told = <Value>(setting: string, read: () => Value): Value => {
    try {
      return read()
    } catch (error) {
      throw new Error(`${setting} is wrong: ${(error as Error).message}`)
    }
  }
  const { keys } = evidence
  return {
    keys: keys === undefined ? deriveEvidenceKeys(secretKey) : told('EVIDENCE_KEYS_FILE', () => readEvidenceKeys(keys)),
    attestors: told('LOG_WITNESSES', () => readAttestors(evidence, secretKey)),
    origin: `${new URL(baseUrl).host}/log`,
    issuer: {
      name: config.serviceName,
      uri: baseUrl,
      people: config.oneLogin.issuer ?? 'the demo’s stand-in for GOV.UK One Login',
      staff: config.staff.issuer ?? 'the demo’s stand-in for a public body’s provider',
      systems: baseUrl,
    },
  }
}

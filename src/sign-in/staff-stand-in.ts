import type { Config } from '../config.ts'
import { staffIssuer } from './staff.ts'
import { buildStandIn, type StandIn, type StandInStaff, signInOnly } from './stand-in.ts'

/** A stand-in for the provider at which staff of public bodies sign in: a plain OpenID provider. */
export function buildStaffStandIn(config: Config, staff: readonly StandInStaff[]): StandIn {
  return buildStandIn(config, {
    issuer: staffIssuer(config),
    accounts: staff.map(({ subject, name, note }) => ({ id: subject, name, note })),
    policy: signInOnly(),
    configuration: {
      clients: [
        {
          client_id: config.staff.clientId,
          client_secret: config.staff.clientSecret,
          redirect_uris: [`${config.baseUrl}/department/sign-in/callback`],
          post_logout_redirect_uris: [`${config.baseUrl}/signed-out`],
          id_token_signed_response_alg: 'ES256',
        },
      ],
      clientAuthMethods: ['client_secret_basic', 'client_secret_post'],
      findAccount: (_ctx, id) =>
        staff.some(({ subject }) => subject === id) ? { accountId: id, claims: () => ({ sub: id }) } : undefined,
      ttl: { AccessToken: 600, AuthorizationCode: 60, IdToken: 600, Grant: 3_600, Interaction: 3_600, Session: 3_600 },
    },
  })
}

import type { Revocable } from '../../db/tables.ts';
import type { FieldBuilder } from '../graphql/builder.ts';
import type { InputFieldBuilder } from '../graphql/mutation.ts';
import { ipText, type TrustedIp } from '../verify/limits.ts';
import {
  type AuthMethodDetail,
  authMethodDetails,
  TRUSTED_IPS_MAX,
  TTL_DEFAULT_S,
  TTL_MAX_S,
} from './auth-method.ts';
import { inOrder, type Loader } from './load.ts';

const texts = {
  accessTokenTTL: 'For how long an access token is good, in seconds. 0: as long as may be.',
  accessTokenMaxTTL: 'For how long one may be good at the most, in seconds. 0: without limit.',
  accessTokenPeriod: 'Where it is not 0, it stands for both times, in seconds.',
  accessTokenNumUsesLimit: 'How often an access token may be used. 0: without limit.',
  accessTokenTrustedIps: 'From where an access token may be used: addresses, and ranges of them.',
};

/** The fields of an input that say how an auth method issues access tokens. */
export function methodInput(t: InputFieldBuilder, action: 'attach' | 'update') {
  const field = (name: keyof typeof texts, unless: string | number, range = '') => ({
    description: `${texts[name]}${range} ${
      action === 'attach' ? `${unless} unless said.` : 'As before, unless said.'
    }`,
  });
  const upTo = ` At most ${TTL_MAX_S}.`;
  return {
    accessTokenTTL: t.int(field('accessTokenTTL', TTL_DEFAULT_S, upTo)),
    accessTokenMaxTTL: t.int(field('accessTokenMaxTTL', TTL_DEFAULT_S, upTo)),
    accessTokenPeriod: t.int(field('accessTokenPeriod', 0, upTo)),
    accessTokenNumUsesLimit: t.int(field('accessTokenNumUsesLimit', 0)),
    accessTokenTrustedIps: t.stringList(
      field('accessTokenTrustedIps', 'Everywhere', ` At most ${TRUSTED_IPS_MAX}.`),
    ),
  };
}

const details: Loader<string, AuthMethodDetail | undefined> = {
  batch: async (db, _organizationId, ids) => inOrder(ids, await authMethodDetails(db, ids)),
};

/** The fields of an auth method that say how it issues access tokens. */
export function methodFields(t: FieldBuilder<Revocable>) {
  const int = (name: keyof typeof texts, column: NumberColumn) =>
    t.int({
      nullable: true,
      description: texts[name],
      resolve: async ({ id }, _args, { loaders }) =>
        (await loaders.load(details, id))?.[column] ?? null,
    });
  return {
    accessTokenTTL: int('accessTokenTTL', 'access_token_ttl_s'),
    accessTokenMaxTTL: int('accessTokenMaxTTL', 'access_token_max_ttl_s'),
    accessTokenPeriod: int('accessTokenPeriod', 'access_token_period_s'),
    accessTokenNumUsesLimit: int('accessTokenNumUsesLimit', 'access_token_num_uses_limit'),
    accessTokenTrustedIps: t.stringList({
      nullable: true,
      description: texts.accessTokenTrustedIps,
      resolve: async ({ id }, _args, { loaders }) => {
        const trusted = (await loaders.load(details, id))?.access_token_trusted_ips;
        return trusted === undefined ? null : (JSON.parse(trusted) as TrustedIp[]).map(ipText);
      },
    }),
  };
}

type NumberColumn = {
  [C in keyof AuthMethodDetail]: AuthMethodDetail[C] extends number ? C : never;
}[keyof AuthMethodDetail];

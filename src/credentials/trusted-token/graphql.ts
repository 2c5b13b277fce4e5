import type { LedgerEntry } from '../../../db/tables.ts';
import type { CutOffScope } from '../../cut-offs.ts';
import type { GraphMutation } from '../../graphql/change.ts';
import { addMutation } from '../../graphql/mutation.ts';
import { type Why, whyFields } from '../../graphql/revocation.ts';
import { perform } from '../../operation.ts';
import { carriesSecret, isPlainText } from '../../secrets.ts';
import { COMMENT_MAX, checkComment, problem } from '../input.ts';
import { cutOff, type NewCutOff } from './cut-off.ts';

interface Given extends Why {
  issuer: string;
  tokenId?: string | null;
  subject?: string | null;
  keyId?: string | null;
  issuedBefore?: number | null;
}

const scopesOf = ({ tokenId, subject, keyId }: Given): [CutOffScope, string][] =>
  Object.entries({ token: tokenId, subject, key: keyId }).flatMap(([scope, value]) =>
    value == null ? [] : [[scope as CutOffScope, value]],
  );

/** The ledger keeps it for good, like a comment: a token itself is no id of one. */
function checkValue(path: string, value: string | null | undefined) {
  if (value == null) return undefined;
  if (value.length > COMMENT_MAX || !isPlainText(value)) {
    return problem(
      path,
      `Must be 1 to ${COMMENT_MAX} characters, none of them a control character`,
    );
  }
  return problem(path, carriesSecret(value) ? 'Carries what looks like a secret' : undefined);
}

export const revokeTrustedTokensGraph: GraphMutation = {
  mutation: 'revokeTrustedTokens',
  refusals: cutOff.refusals,
  addTo(builder, errors, { types, success: interfaceRef }) {
    const success = builder
      .objectRef<{ entry: LedgerEntry }>('RevokeTrustedTokensSuccess')
      .implement({
        description: 'The JWTs are refused from now on.',
        interfaces: [interfaceRef],
        fields: () => ({}),
      });
    addMutation<Given, { entry: LedgerEntry }>(builder, errors, {
      name: 'revokeTrustedTokens',
      description:
        'Ends JWTs of a trusted issuer in the organization: one, all of a subject, all that a key signed, or all. Several such cut-offs combine: the greatest moment counts, and none is undone.',
      inputDescription: 'Which JWTs, and why. Without `tokenId`, `subject` and `keyId`: all.',
      fields: (t) => ({
        issuer: t.string({ required: true, description: 'The issuer: their `iss`.' }),
        tokenId: t.string({ description: 'Only the one with this `jti`.' }),
        subject: t.string({ description: 'Only those of this subject.' }),
        keyId: t.string({
          description: 'Only those that the key with this `kid` signed, whenever they were issued.',
        }),
        issuedBefore: t.field({
          type: 'DateTime',
          description:
            'Only those that were issued before; now, unless said. A JWT that says the second of its issue only counts as issued at its beginning.',
        }),
        ...whyFields(t, types),
      }),
      success,
      refusals: cutOff.refusals,
      check: (given, { gateway }) => [
        problem(
          'issuer',
          gateway.trustedIssuers.includes(given.issuer)
            ? undefined
            : 'Is no trusted issuer: no JWT of it is accepted here',
        ),
        problem(
          'subject',
          scopesOf(given).length > 1 ? 'Give one of tokenId, subject and keyId' : undefined,
        ),
        ...(['tokenId', 'subject', 'keyId'] as const).map((path) => checkValue(path, given[path])),
        problem(
          'issuedBefore',
          given.tokenId != null && given.issuedBefore != null
            ? 'A token ends whenever it was issued'
            : undefined,
        ),
        problem(
          'issuedBefore',
          (given.issuedBefore ?? 0) > gateway.now() ? 'Lies in the future' : undefined,
        ),
        checkComment(given.comment ?? undefined),
      ],
      resolve: async (actor, given, { gateway, requestId }) => {
        const [scope, value] = scopesOf(given)[0] ?? (['issuer', ''] as const);
        const input: NewCutOff = {
          ...{ issuer: given.issuer, scope, value },
          beforeMs: given.issuedBefore ?? (isWhole(scope) ? null : gateway.now()),
        };
        const performed = await perform(gateway, cutOff, input, {
          ...({ actor, surface: 'graphql', requestId } as const),
          reason: given.reason ?? undefined,
          comment: given.comment ?? undefined,
        });
        return 'refused' in performed ? performed.refused : { entry: performed.entry };
      },
    });
  },
};

/** What ends as a whole: one token, and a key that somebody else may have, who writes any date. */
const isWhole = (scope: CutOffScope): boolean => scope === 'token' || scope === 'key';

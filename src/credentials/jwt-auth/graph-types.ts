import type { Builder } from '../../graphql/builder.ts';
import type { BoundClaim, JwtAuthSettings } from './settings.ts';

const texts: Record<JwtAuthSettings['configurationType'], string> = {
  jwks: 'The keys are published at a URL, and count for as long as they are.',
  static: 'The keys are set here.',
};

function addJwtAuthTypes(builder: Builder) {
  const configurationType = builder.enumType('JwtAuthConfigurationType', {
    description: 'Where the keys come from that sign the JWTs of a JWT Auth.',
    values: {
      JWKS: { value: 'jwks', description: texts.jwks },
      STATIC: { value: 'static', description: texts.static },
    } as const,
  });
  const claim = builder.objectRef<BoundClaim>('JwtAuthClaim').implement({
    description: 'Something that a JWT must say to log in.',
    fields: (t) => ({
      claim: t.exposeString('claim', { description: 'The name of the claim.' }),
      value: t.exposeString('value', { description: 'What it must be.' }),
    }),
  });
  const claimInput = builder.inputType('JwtAuthClaimInput', {
    description: 'Something that a JWT must say to log in.',
    fields: (t) => ({
      claim: t.string({
        required: true,
        description: 'The name of the claim; `a.b` is `b` in `a`.',
      }),
      value: t.string({
        required: true,
        description: 'What it must be: a value or a glob, or several with `, ` between.',
      }),
    }),
  });
  return { configurationType, claim, claimInput };
}

/** The same types for each schema, whatever shows them. */
const added = new WeakMap<Builder, ReturnType<typeof addJwtAuthTypes>>();

/** The types that JWT Auth has beyond its own. */
export function jwtAuthTypes(builder: Builder): ReturnType<typeof addJwtAuthTypes> {
  const types = added.get(builder) ?? addJwtAuthTypes(builder);
  added.set(builder, types);
  return types;
}

import { flag, type JsonSchema, listOf, object, said, text, whole } from '../rest/json-schema.ts';

const seconds = said('In seconds since 1970.', whole);

const members: Readonly<Record<string, JsonSchema>> = {
  active: said('Whether it is good; if not, nothing else is said.', flag),
  scope: said('Permissions or scopes, with blanks between.', text),
  client_id: text,
  username: text,
  token_type: { const: 'Bearer' },
  exp: seconds,
  iat: seconds,
  nbf: seconds,
  sub: text,
  aud: { anyOf: [text, listOf(text)] },
  iss: text,
  jti: text,
  organization: said('The slug of its organization.', text),
  credential_kind: text,
  project: said('Of a JWT of a gateway credential: the name of its project.', text),
  trusted_ips: said('From where alone it may be used, unless client_ip was sent.', listOf(text)),
  chain: said('For an enforcement point: the ids of all that it stands on.', listOf(text)),
  position: said('For an enforcement point: where the feed was before it was looked at.', whole),
  uses_limited: said('For an enforcement point: each use counts.', { const: true }),
  foreign: said('For an enforcement point: others issued it.', { const: true }),
  max_age: said('For an enforcement point: for how many seconds it may be kept.', whole),
};

/** What an introspection says. */
export const introspectionBody: JsonSchema = object(
  members,
  Object.keys(members).filter((name) => name !== 'active'),
);

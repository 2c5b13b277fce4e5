import {
  type GraphQLInputType,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
} from 'graphql';
import type { Demo } from '../db/demo.ts';
import { credentials } from '../src/credentials/kinds.ts';
import { schemaOf } from '../src/graphql/schema.ts';
import { type Canary, canariesFor, realKeysFor } from './canaries.ts';
import { fieldsWithArguments } from './graphql-shapes.ts';
import { type OpenapiDocument, placesIn } from './openapi.ts';

/** Requests that have a secret in one place, and are good in every other. */

/** A request, and what is secret in it. */
export interface Carrying {
  readonly canary: Canary;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** What inputs and paths are, where they are no secret. */
export interface World {
  readonly demo: Demo;
  readonly receiver: string;
  readonly issuer: string;
  /** Ids of targets, identities and the like that were made beside the demo. */
  readonly made: Readonly<Record<string, string>>;
}

let count = 0;

/** A good value for a field of this name. */
function goodFor({ demo, receiver, issuer, made }: World, name: string): string {
  const at = ++count % demo.apiKey.length;
  const known: Record<string, string | undefined> = {
    ...demo.jwtAuth[at],
    ...demo.apiKey[at],
    ...demo.serviceAccountToken[at],
    ...demo.jwkValidation[at],
    ...demo.accessToken[at],
    id: demo.apiKey[at]?.applicationId,
    clientId: demo.limitedOauthClient.clientId,
    ...made,
    ...{ url: receiver, jwksUrl: receiver, issuer },
    ...{ permissions: 'ledger:read', scopes: 'read:tokens', generate: 'EdDSA' },
    accessTokenTrustedIps: '127.0.0.1',
  };
  return known[name] ?? `good-${count}`;
}

/** What a mutation takes although it need not. */
const alsoGiven: Record<string, readonly string[]> = {
  createJwk: ['generate'],
  attachJwtAuth: ['jwksUrl'],
  updateWebhook: ['name', 'url'],
  updateEnvironment: ['name', 'url'],
  revokeTrustedTokens: ['subject', 'issuedBefore'],
};

/** Names that stand for something new wherever they are given. */
const anew = /^create(?!ApiKey|Environment|Jwk|GatewayCredential|ServiceAccountToken|Token)/;

/** Input for a mutation; where a leaf is named, that is the canary's, and what goes with it is there. */
function inputFor(world: World, mutation: string, leaf: readonly string[], text: string) {
  const value = (type: GraphQLInputType, path: readonly string[]): unknown => {
    const name = path.at(-1) ?? '';
    if (path.join() === leaf.join()) return listed(type, text);
    const named = getNamedType(type);
    if (isInputObjectType(named)) {
      const fields = Object.values(named.getFields()).filter((field) => {
        const inside = [...path, field.name];
        const wanted = isNonNullType(field.type) || alsoGiven[mutation]?.includes(field.name);
        const instead = mutation === 'createJwk' && /publicJwk|url/.test(leaf[0] ?? '');
        const onLeaf = inside.every((part, i) => leaf[i] === part);
        return onLeaf || (wanted && !(instead && field.name === 'generate'));
      });
      const all = fields.map((field) => [field.name, value(field.type, [...path, field.name])]);
      return listed(type, Object.fromEntries(all));
    }
    if (isEnumType(named)) return listed(type, named.getValues()[0]?.name);
    if (named.name === 'Int') return listed(type, 1);
    if (named.name === 'DateTime') {
      return mutation === 'revokeTrustedTokens' ? '2020-01-01T00:00:00Z' : '2999-01-01T00:00:00Z';
    }
    if (anew.test(mutation)) return listed(type, goodFor({ ...world, demo: nobody(world) }, name));
    return listed(type, goodFor(world, name));
  };
  const type = schemaOf(credentials).getMutationType()?.getFields()[mutation]?.args[0]?.type;
  if (type === undefined) throw new Error(`There is no ${mutation}`);
  return value(type, []);
}

const nobody = ({ demo }: World): Demo => ({
  ...demo,
  ...{ serviceAccountToken: [], jwkValidation: [] },
});

const listed = (type: GraphQLInputType, one: unknown): unknown =>
  isListType(isNonNullType(type) ? type.ofType : type) ? [one] : one;

/** The path to each text in an input. */
function leavesOf(type: GraphQLInputType, above: readonly string[] = []): string[][] {
  const named = getNamedType(type);
  if (!isInputObjectType(named)) {
    return /^(?:Int|Boolean)$/.test(named.name) ? [] : [[...above]];
  }
  return Object.values(named.getFields()).flatMap((field) =>
    leavesOf(field.type, [...above, field.name]),
  );
}

const asJson = { 'content-type': 'application/json' };

/** Every mutation, with each canary in each of its fields; and what else a request has. */
export function graphqlCarrying(world: World, authorization: string): Carrying[] {
  const headers = { ...asJson, authorization };
  const post = { method: 'POST', path: '/graphql', headers };
  const requests: Carrying[] = [];
  for (const { name, document, variables } of fieldsWithArguments(schemaOf(credentials))) {
    if (!name.startsWith('Mutation.')) {
      for (const variable of variables) {
        for (const canary of canariesFor(`${name}(${variable.name})`)) {
          const given = { [variable.name]: canary.text };
          requests.push({ ...post, canary, body: asked(document, given) });
        }
      }
      continue;
    }
    const mutation = name.slice('Mutation.'.length);
    for (const leaf of variables[0] === undefined ? [] : leavesOf(variables[0].type)) {
      const place = `${mutation}.${leaf.join('.')}`;
      const keys = /key|jwk/i.test(place) ? realKeysFor(place) : [];
      for (const canary of [...canariesFor(place), ...keys]) {
        const input = inputFor(world, mutation, leaf, canary.text);
        requests.push({ ...post, canary, body: asked(document, { input }) });
      }
    }
  }
  const me = '{ me { name } }';
  const bodies: Record<string, (text: string) => string> = {
    operationName: (operationName) => JSON.stringify({ query: me, operationName }),
    'a variable that nobody declares': (text) => asked(me, { x: text, [text]: text }),
    extensions: (text) => JSON.stringify({ query: me, extensions: { [text]: text } }),
    'another parameter': (text) => JSON.stringify({ query: me, [text]: text }),
    document: (text) => JSON.stringify({ query: text }),
    'a comment of a document': (text) => asked(`# ${text.replaceAll('\n', ' ')}\n${me}`, {}),
    'a text in a document': (text) =>
      asked(`{ me { node(id: ${JSON.stringify(text)}) { id } } }`, {}),
    'a name in a document': (text) => asked(`{ me { ${text.replace(/\W/g, '_')} } }`, {}),
    'a body that is no JSON': (text) => `{"query": ${text}`,
  };
  for (const [place, write] of Object.entries(bodies)) {
    for (const canary of canariesFor(place)) {
      requests.push({ ...post, canary, body: write(canary.text) });
    }
  }
  for (const canary of canariesFor('the query of GET /graphql')) {
    const search = new URLSearchParams({ query: canary.text, variables: canary.text });
    requests.push({ canary, method: 'GET', path: `/graphql?${search}`, headers });
  }
  return requests;
}

const asked = (query: string, variables: object) => JSON.stringify({ query, variables });

/** Headers in which somebody may send what does not belong there. */
const headerNames = [
  ...['cookie', 'referer', 'user-agent', 'origin', 'x-api-key', 'x-request-id', 'x-forwarded-for'],
  ...['last-event-id', 'if-none-match', 'traceparent', 'tracestate', 'baggage', 'x-correlation-id'],
  ...['accept', 'content-type', 'x-forwarded-host', 'authorization'],
];

/** Every route, with each canary in each part of its path, its query, its body, and in headers. */
export function restCarrying(world: World, document: OpenapiDocument, good: string): Carrying[] {
  const requests: Carrying[] = [];
  const basic = `Basic ${btoa(Object.values(world.demo.oauthClient).join(':'))}`;
  for (const at of placesIn(document).filter(({ path }) => path !== '/graphql')) {
    const { method, security, path: form } = at;
    const [[type, content] = ['', undefined]] = Object.entries(at.requestBody?.content ?? {});
    const isClient = security.some((each) => 'client' in each);
    const base = {
      method,
      headers: { ...(type && { 'content-type': type }), authorization: isClient ? basic : good },
    };
    const example = (content?.example ?? {}) as Record<string, unknown>;
    const pathWith = (changed: Record<string, string>) =>
      form.replace(/\{(\w+)\}/g, (_whole, name: string) =>
        encodeURIComponent(changed[name] ?? goodFor(world, name)),
      );
    const write = (object: object) => {
      if (type === '') return {};
      if (type.includes('json')) return { body: JSON.stringify(object) };
      return { body: new URLSearchParams(object as Record<string, string>).toString() };
    };
    const add = (where: string, request: (text: string) => Partial<Carrying>, forms?: number) => {
      const all = canariesFor(`${method} ${form}, ${where}`);
      // Of headers some forms are enough: nothing tells routes apart there.
      const some = forms === undefined ? all : [all[forms % all.length] as Canary];
      for (const canary of some) {
        const other = request(canary.text);
        const headers = { ...base.headers, ...other.headers };
        requests.push({
          ...base,
          path: pathWith({}),
          ...write(example),
          ...other,
          headers,
          canary,
        });
      }
    };
    for (const [, name = ''] of form.matchAll(/\{(\w+)\}/g)) {
      add(`path ${name}`, (text) => ({ path: pathWith({ [name]: text }) }));
    }
    const queried = (at.parameters ?? []).filter((each) => each.in === 'query');
    for (const name of ['x', ...queried.map((each) => each.name)]) {
      add(`query ${name}`, (text) => ({
        path: `${pathWith({})}?${new URLSearchParams({ [name]: text })}`,
      }));
    }
    const members = type.includes('form')
      ? [...Object.keys(example), 'client_id', 'client_secret', 'client_assertion', 'scope', 'x']
      : [...Object.keys(example), 'x'];
    for (const name of type === '' ? [] : members) {
      add(`body ${name}`, (text) => write({ ...example, [name]: text }));
    }
    for (const name of headerNames) {
      // No client can send more than one line.
      add(
        `header ${name}`,
        (text) => ({ headers: { [name]: text.replaceAll('\n', ' ') } }),
        requests.length,
      );
    }
    add('Bearer', (text) => ({
      headers: { authorization: `Bearer ${text.replaceAll('\n', ' ')}` },
    }));
    add('Basic', (text) => ({ headers: { authorization: `Basic ${btoa(`x:${text}`)}` } }));
  }
  return requests;
}

import type { FastifyRequest } from 'fastify';
import { carryOut } from '../credentials/carry-out.ts';
import { checkInput } from '../credentials/input.ts';
import type { Input, Kind } from '../credentials/kind.ts';
import { type Revoked, type RevokeRefusal, revoke } from '../credentials/revoke.ts';
import type { Attempt } from '../delivery/first-attempts.ts';
import type { Gateway } from '../gateway.ts';
import { InvalidInput, Refusal, Unauthenticated } from '../refusals.ts';
import type { Described, Description } from './described.ts';
import type { Dialect, Reply, RestRequest, Wording } from './dialect.ts';
import { type JsonSchema, object, said, text, uuid } from './json-schema.ts';

/** How a vendor's API revokes a kind: where it listens, and how it words each answer. */
export interface RestSpec<Field extends string, Answer, R extends Refusal> {
  readonly dialect: Dialect;
  readonly method: 'DELETE' | 'POST';
  readonly paths: readonly string[];
  /** Which input field each path parameter is. */
  readonly params: Readonly<Record<string, Field>>;
  done(revoked: Revoked<Answer>, attempts: readonly Attempt[]): Reply;
  readonly refused: Wording<Unauthenticated | InvalidInput | RevokeRefusal<R>, Input<Field>>;
  readonly describe: Description & {
    /** What `done` is called with; one that looks at nothing needs none. */
    readonly sample?: () => [Revoked<Answer>, readonly Attempt[]];
  };
}

/** A route as the server mounts it. */
export interface RestRoute {
  readonly dialect: Dialect;
  readonly method: 'DELETE' | 'GET' | 'POST' | 'PUT';
  readonly paths: readonly string[];
  readonly params: Readonly<Record<string, string>>;
  /** Whether it reads a body. */
  readonly body?: boolean;
  readonly described: Described;
  answer(gateway: Gateway, request: FastifyRequest): Promise<Reply>;
}

/** Makes the route that revokes a kind in a vendor's words. */
export function restRoute<Field extends string, Answer, R extends Refusal>(
  kind: Kind<Field, Answer, R>,
  spec: RestSpec<Field, Answer, R>,
): RestRoute {
  const operation = revoke(kind);
  const params = Object.entries(spec.params) as [string, Field][];

  async function answer(gateway: Gateway, request: FastifyRequest): Promise<Reply> {
    const input = readInput(request.params as Record<string, string>);
    const refused = (refusal: Refusal) => {
      request.refusal = refusal;
      return word(spec.refused, refusal, toRestRequest(request), input);
    };

    const actor = await gateway.authenticate(request.headers.authorization, request.ip);
    if (actor instanceof Refusal) return refused(actor);
    request.actor = actor;
    const invalid = checkInput(kind, input);
    if (invalid !== undefined) return refused(inParams(invalid));

    const call = { actor, surface: 'rest', requestId: request.id } as const;
    const answered = await carryOut(gateway, operation, input, call);
    if ('refused' in answered) return refused(answered.refused);
    return withId(spec.done(answered.done, answered.attempts), answered.entry.id);
  }

  const withId = (reply: Reply, id: string): Reply => ({
    ...reply,
    headers: { ...reply.headers, 'revocation-id': id },
  });

  const readInput = (given: Record<string, string>) =>
    Object.fromEntries(params.map(([param, field]) => [field, given[param] ?? ''])) as Input<Field>;

  /** Names the problems by the vendor's path parameters. */
  const inParams = ({ issues }: InvalidInput) =>
    new InvalidInput(
      issues.map(({ path, message }) => ({
        path: params.find(([, field]) => field === path)?.[0] ?? path,
        message,
      })),
    );

  const examples = spec.describe.example as Record<string, string>;
  const described: Described = {
    ...spec.describe,
    permissions: kind.permissions,
    reads: () => object(Object.fromEntries(params.map(([name, field]) => [name, schemaOf(field)]))),
    invalid: () => {
      const wrong = checkInput(kind, readInput({ ...examples, [params[0]?.[0] ?? '']: 'a\0b' }));
      return inParams(wrong ?? new InvalidInput([]));
    },
    refusals: [Unauthenticated, InvalidInput, ...operation.refusals],
    done: () => withId(spec.done(...(spec.describe.sample?.() ?? [{} as never, []])), EXAMPLE_ID),
    refused: (refusal, request) => word(spec.refused, refusal, request, readInput(examples)),
  };

  const schemaOf = (field: Field): JsonSchema => {
    const { description, uuid: isUuid } = kind.input[field];
    return said(description, isUuid ? uuid : text);
  };

  const { dialect, method, paths } = spec;
  return { dialect, method, paths, params: spec.params, described, answer };
}

/** The id of a revocation, as it is described. */
const EXAMPLE_ID = '01900000-0000-7000-8000-00000000005a';

/** Words a refusal. The type of the wording has made sure that each code has its words. */
export function word<I>(wording: object, refusal: Refusal, request: RestRequest, input: I): Reply {
  const words = (wording as Record<string, (r: Refusal, request: RestRequest, input: I) => Reply>)[
    refusal.code
  ];
  if (words === undefined) throw new Error(`No wording for ${refusal.code}`);
  return words(refusal, request, input);
}

/** What wordings see of a request. */
export function toRestRequest(request: FastifyRequest): RestRequest {
  const url = request.raw.url ?? '/';
  const end = url.indexOf('?');
  return {
    id: request.id,
    method: request.method,
    path: asUri(end === -1 ? url : url.slice(0, end)),
  };
}

/** Encodes what a URI must not have and some clients send. */
const asUri = (path: string) =>
  path.replace(/%(?![0-9a-f]{2})|[^\x21-\x7e]|["<>\\^`{|}]/gi, encodeURIComponent);

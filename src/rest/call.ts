import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Actor } from '../actor.ts';
import { checkTexts } from '../credentials/input.ts';
import type { Gateway } from '../gateway.ts';
import type { Permission } from '../permissions.ts';
import { InvalidInput, type Refusal, type RefusalClass, Unauthenticated } from '../refusals.ts';
import type { Described, Description, OtherAnswer } from './described.ts';
import type { Dialect, Reply, RestRequest, Wording } from './dialect.ts';
import type { JsonSchema } from './json-schema.ts';
import { type RestRoute, toRestRequest, word } from './route.ts';

/** What came of a call. */
export type CallResult<Done, R extends Refusal> =
  | { readonly done: Done }
  | { readonly refused: R | Unauthenticated | InvalidInput };

/** How a vendor's API does something else than revoke: where it listens, and how it words it. */
export interface CallSpec<
  Shape extends object,
  Done,
  Classes extends readonly RefusalClass[],
  R extends Refusal = InstanceType<Classes[number]>,
> {
  readonly dialect: Dialect;
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly paths: readonly string[];
  /** What a request must say: path parameters and query; of the others, what the body says too. */
  readonly reads: z.ZodType<Shape>;
  /** Whether its path says all, so that its body is not read. */
  readonly ignoresBody?: true;
  /** What it can refuse, beyond an unknown caller and an invalid input. */
  readonly refusals: Classes;
  /** `actor` has the right to nothing yet. */
  run(
    gateway: Gateway,
    actor: Actor,
    given: Shape,
    call: { readonly actor: Actor; readonly surface: 'rest'; readonly requestId: string },
  ): Promise<CallResult<Done, R>>;
  done(value: Done, request: RestRequest, given: Shape): Reply;
  readonly refused: Wording<Unauthenticated | InvalidInput | R, Shape>;
  readonly describe: Description & {
    readonly permissions: readonly Permission[];
    /** What `done` is called with. */
    readonly sample: () => Done;
    /** Answers that depend on more than a refusal's code. */
    readonly others?: (request: RestRequest) => readonly OtherAnswer[];
  };
}

/** Makes a route of a known caller: authenticated, well-formed, done or refused. */
export function restCall<Shape extends object, Done, const Classes extends readonly RefusalClass[]>(
  spec: CallSpec<Shape, Done, Classes>,
): RestRoute {
  const body = spec.method !== 'GET' && spec.ignoresBody !== true;

  async function answer(gateway: Gateway, request: FastifyRequest): Promise<Reply> {
    const restRequest = toRestRequest(request);
    const actor = await gateway.authenticate(request.headers.authorization, request.ip);
    const given = readGiven(spec.reads, request, body);
    const refused = (refusal: Refusal, input: Shape) => {
      request.refusal = refusal;
      return word(spec.refused, refusal, restRequest, input);
    };
    if (actor instanceof Unauthenticated) return refused(actor, request.params as Shape);
    request.actor = actor;
    if (given instanceof InvalidInput) return refused(given, request.params as Shape);
    const call = { actor, surface: 'rest', requestId: request.id } as const;
    const result = await spec.run(gateway, actor, given, call);
    return 'refused' in result
      ? refused(result.refused, given)
      : spec.done(result.done, restRequest, given);
  }

  const { describe, dialect, method, paths } = spec;
  const { example } = describe;
  const described: Described = {
    ...describe,
    reads: () => schemaOf(spec.reads),
    invalid: () => invalidOf(spec.reads, { example, body, path: paths[0] ?? '' }),
    refusals: [Unauthenticated, InvalidInput, ...spec.refusals],
    done: (request) => spec.done(describe.sample(), request, spec.reads.parse(example)),
    refused: (refusal, request) => word(spec.refused, refusal, request, spec.reads.parse(example)),
  };
  return { dialect, method, paths, params: {}, body, described, answer };
}

/** What is read, as a schema; formats are said by their names alone. */
export const schemaOf = (reads: z.ZodType): JsonSchema =>
  z.toJSONSchema(reads, {
    io: 'input',
    override: ({ jsonSchema }) => {
      if (jsonSchema.format !== undefined) delete jsonSchema.pattern;
    },
  });

/** What is wrong with a request that says no more than its path; where that is all, with a NUL in it. */
export function invalidOf(
  reads: z.ZodType<object>,
  { example, body, path }: { example: Described['example']; body: boolean; path: string },
): InvalidInput {
  const names = Object.keys(example).filter((name) => path.includes(`:${name}`));
  const params = Object.fromEntries(names.map((name) => [name, example[name]]));
  const given = readGiven(reads, { params, query: {}, body: '' }, body);
  if (given instanceof InvalidInput) return given;
  return checkTexts({ [names[0] ?? '']: '\0' }) ?? new InvalidInput([]);
}

/** Reads what a request says, or what is wrong with it. */
export function readGiven<Shape extends object>(
  reads: z.ZodType<Shape>,
  { params, query, body }: Pick<FastifyRequest, 'params' | 'query' | 'body'>,
  withBody: boolean,
): Shape | InvalidInput {
  let said: unknown = query;
  if (withBody) {
    try {
      const text = typeof body === 'string' ? body.trim() : '';
      said = text === '' ? {} : JSON.parse(text);
    } catch {
      return new InvalidInput([{ path: 'body', message: 'Must be JSON' }]);
    }
    if (typeof said !== 'object' || said === null || Array.isArray(said)) {
      return new InvalidInput([{ path: 'body', message: 'Must be a JSON object' }]);
    }
  }
  const all = { ...(said as object), ...(params as object) };
  const unreadable = checkTexts(all);
  if (unreadable !== undefined) return unreadable;
  const read = reads.safeParse(all);
  if (read.success) return read.data;
  return new InvalidInput(
    read.error.issues.map(({ path, message }) => ({ path: path.join('.'), message })),
  );
}

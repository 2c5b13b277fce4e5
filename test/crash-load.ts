import { setTimeout } from 'node:timers/promises';
import { Pool } from 'undici';
import { apiKeyTarget, documentOf, type Target } from './crash-targets.ts';

/** What clients were told, since there was a database. */
export interface Told {
  /** The target of each revocation that was answered, by the id that was given. */
  readonly revoked: Map<string, Target>;
  /** The ids of the API keys whose making was answered. */
  readonly created: Set<string>;
  /** Targets that were answered as revoked by an attempt that itself had no answer. */
  readonly revokedBefore: Set<Target>;
  /** What no client must ever be told. */
  readonly problems: string[];
  unanswered: number;
  unavailable: number;
}

export interface Load {
  /** Resolves when one more revocation is answered with success; false where none is in time. */
  answered(timeoutMs: number): Promise<boolean>;
  stop(): Promise<void>;
}

export interface LoadOptions {
  readonly url: string;
  readonly token: string;
  /** What is yet to be revoked; keys that are made join it. */
  readonly waiting: Target[];
  readonly random: () => number;
  /** Whether the gateway may be gone at any moment. */
  readonly mayBreak: () => boolean;
  readonly told: Told;
}

/** Connections, each with one request at a time. */
const CONNECTIONS = 12;
/** Targets of one `revokeMany`. */
const MANY = 10;
/** Time that a client without success waits before its next request. */
const PAUSE_MS = 20;

type Body = Record<string, { __typename?: string; code?: string; revocation?: { id: string } }>;

interface Result {
  readonly revocation?: { readonly id: string } | null;
  readonly error?: { readonly code: string } | null;
}

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: string;
}

/** Revokes and makes credentials through both surfaces, for as long as it is let. */
export function startLoad(options: LoadOptions): Load {
  const { waiting, random, told } = options;
  const pool = new Pool(options.url, { connections: CONNECTIONS });
  const headers = {
    authorization: `Bearer ${options.token}`,
    'content-type': 'application/json',
  };
  const successes = new Set<() => void>();
  let stopping = false;

  async function ask(method: 'DELETE' | 'POST', path: string, body?: object): Promise<Answer> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const response = await pool.request({ method, path, headers, body: text ?? null });
    return {
      status: response.statusCode,
      headers: response.headers,
      body: await response.body.text(),
    };
  }

  function succeed(id: string, target: Target): void {
    if (told.revoked.has(id)) told.problems.push(`Two revocations were answered with the id ${id}`);
    told.revoked.set(id, target);
    for (const success of successes) success();
  }

  function already(target: Target): void {
    if (target.tried) told.revokedBefore.add(target);
    else told.problems.push(`${target.kind} ${target.name} was revoked before anybody asked`);
  }

  /** Whether it was answered with 503, as such an answer must be. */
  function isUnavailable({ status, headers: given, body }: Answer): boolean {
    if (status !== 503) return false;
    told.unavailable += 1;
    if (given['retry-after'] === undefined) told.problems.push(`503 without Retry-After: ${body}`);
    return true;
  }

  async function byRest(target: Target): Promise<readonly Target[]> {
    const answer = await ask(target.rest.method, target.rest.path);
    if (isUnavailable(answer)) return [target];
    const id = answer.headers['revocation-id'];
    if ([200, 204].includes(answer.status) && typeof id === 'string') succeed(id, target);
    else if (answer.status === 400 || answer.status === 404) already(target);
    else told.problems.push(`REST answered ${answer.status} ${answer.body}`);
    return [];
  }

  async function byGraphql(targets: readonly Target[]): Promise<readonly Target[]> {
    const variables = Object.fromEntries(targets.map(({ input }, i) => [`i${i}`, input]));
    const answer = await ask('POST', '/graphql', { query: documentOf(targets), variables });
    const unavailable = isUnavailable(answer);
    const { data } = JSON.parse(answer.body) as { data?: Body | null };
    if (!unavailable && (answer.status !== 200 || data == null)) {
      told.problems.push(`GraphQL answered ${answer.status} ${answer.body}`);
    }
    return targets.filter((target, i) => {
      const result = data?.[`r${i}`];
      if (result?.revocation !== undefined) succeed(result.revocation.id, target);
      else if (result?.code === 'ALREADY_REVOKED') already(target);
      else if (unavailable) return true;
      else told.problems.push(`GraphQL answered ${answer.body}`);
      return false;
    });
  }

  /** The same for many of one kind, in one call. */
  async function byMany(targets: readonly Target[]): Promise<readonly Target[]> {
    const query = `mutation ($input: RevokeManyInput!) { many: revokeMany(input: $input) {
      ... on RevokeManySuccess { results { revocation { id } error { code } } }
      ... on Error { code } } }`;
    const kind = targets[0]?.kind.toUpperCase().replaceAll('-', '_');
    const variables = { input: { kind, ids: targets.map(({ name }) => name) } };
    const answer = await ask('POST', '/graphql', { query, variables });
    if (isUnavailable(answer)) return targets;
    const { data } = JSON.parse(answer.body) as { data?: { many?: { results?: Result[] } } };
    const results = data?.many?.results;
    if (results === undefined) told.problems.push(`revokeMany answered ${answer.body}`);
    for (const [i, target] of targets.entries()) {
      const { revocation, error } = results?.[i] ?? {};
      if (revocation) succeed(revocation.id, target);
      else if (error?.code === 'ALREADY_REVOKED') already(target);
      else told.problems.push(`revokeMany answered ${error?.code} for ${target.name}`);
    }
    return [];
  }

  async function create(applicationId: string): Promise<void> {
    const query = `mutation ($input: CreateApiKeyInput!) { made: createApiKey(input: $input) {
      ... on CreateApiKeySuccess { apiKey { id } secret } ... on Error { code } } }`;
    const variables = { input: { applicationId, name: 'made under load' } };
    const answer = await ask('POST', '/graphql', { query, variables });
    if (isUnavailable(answer)) return;
    const { data } = JSON.parse(answer.body) as {
      data?: { made?: { apiKey?: { id: string }; secret: string } };
    };
    const made = data?.made;
    if (made?.apiKey === undefined) {
      told.problems.push(`Making a key was answered ${answer.status} ${answer.body}`);
      return;
    }
    told.created.add(made.apiKey.id);
    waiting.push(apiKeyTarget(applicationId, made.apiKey.id, made.secret));
  }

  /** No answer has come, so what was asked for may be done or not. */
  function broke(error: unknown): void {
    if (!options.mayBreak()) told.problems.push(`A connection broke: ${String(error)}`);
    told.unanswered += 1;
  }

  /** What the next request revokes: one, some of any kind, or many of one. */
  function take(): [Target[], (targets: readonly Target[]) => Promise<readonly Target[]>] {
    const chance = random();
    if (chance < 0.5) {
      return [waiting.splice(0, 1), async ([target]) => (target ? await byRest(target) : [])];
    }
    if (chance < 0.9) return [waiting.splice(0, chance < 0.75 ? 1 : 4), byGraphql];
    const kind = waiting[0]?.kind;
    const many = waiting.filter((target) => target.kind === kind).slice(0, MANY);
    for (const target of many) waiting.splice(waiting.indexOf(target), 1);
    return [many, byMany];
  }

  async function client(): Promise<void> {
    while (!stopping) {
      const [targets, revoke] = take();
      let left: readonly Target[] = targets;
      try {
        if (targets.length > 0) left = await revoke(targets);
      } catch (error) {
        broke(error);
      }
      for (const target of left) target.tried = true;
      waiting.push(...left);
      const applicationId = targets[0]?.input.applicationId;
      if (applicationId !== undefined && random() < 0.3) await create(applicationId).catch(broke);
      if (left.length > 0 || targets.length === 0) await setTimeout(PAUSE_MS);
    }
  }

  const clients = Promise.all(Array.from({ length: CONNECTIONS }, client));
  return {
    answered: (timeoutMs) =>
      new Promise((resolve) => {
        const done = (succeeded: boolean) => {
          clearTimeout(timer);
          successes.delete(success);
          resolve(succeeded);
        };
        const success = () => done(true);
        const timer = globalThis.setTimeout(done, timeoutMs, false);
        successes.add(success);
      }),
    async stop() {
      stopping = true;
      await clients;
      await pool.destroy();
    },
  };
}

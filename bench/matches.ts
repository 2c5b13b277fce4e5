import { join } from 'node:path';
import type { ServerName, Started } from './contestant.ts';
import type { Launched } from './processes.ts';
import { wander } from './rows.ts';
import type { Setting, Watching } from './setting.ts';
import { makeTokens } from './tokens.ts';
import {
  type Asked,
  betterAuthDelete,
  betterAuthVerify,
  bulkRevoke,
  graphqlRevoke,
  introspect,
  introspectJwt,
  oidcIntrospect,
  restRevoke,
  type Workload,
} from './workloads.ts';

/** Who takes part in a match besides the gateway: the floor, and the peer of a row. */
export type Name = 'gateway' | ServerName;

/** Servers that are asked in turns, and the rows that come of it. */
export interface Match {
  /** The first row is the match's own; others hold the gateway against further peers. */
  readonly rows: readonly { readonly name: string; readonly peer?: ServerName }[];
  readonly unit: string;
  readonly connections: number;
  readonly durability: string;
  readonly peerDurability?: string;
  /** What one answer counts. */
  readonly perAnswer: number;
  /** Where a round ends after so many requests, and not after some time. */
  readonly requestsPerRound?: number;
  prepare(setting: Setting): Promise<Prepared>;
}

export interface Prepared {
  readonly workload: Workload;
  /** With one id, or few, where the statements are seen. */
  readonly watched?: Watching;
  /** The database that the gateway and all who do its statements get a copy of. */
  readonly file: string;
  /** How many items there are to ask for, and whether each can be asked for once only. */
  readonly count: number;
  readonly once: boolean;
  /** What a peer is asked that has data of its own. */
  asked(server: ServerName, started: Started): Asked;
}

export const CONNECTIONS = 64;
/** Credentials that are asked about at random. */
export const INTROSPECTED = 100_000;
/** It asks one at a time for its key by an index; more would only take longer to make. */
const BETTER_AUTH_KEYS = 20_000;
const countOf = (name: Name) => (name === 'better-auth' ? BETTER_AUTH_KEYS : INTROSPECTED);
const IDS_PER_BULK = 10_000;

export const groupCommit =
  'SQLite, WAL, synchronous=FULL: answered after the commit has reached the disk; commits shared by what arrives in one turn';
const readOnly = 'reads only; the database is SQLite, WAL, synchronous=FULL';

export const matches: readonly Match[] = [
  {
    rows: [{ name: 'rest-revoke' }, { name: 'better-auth-delete', peer: 'better-auth' }],
    ...{ unit: 'revocations/s', connections: CONNECTIONS, perAnswer: 1, durability: groupCommit },
    peerDurability: 'SQLite, WAL, synchronous=FULL: a commit of its own for each',
    prepare: async (setting) => ({
      ...revocation(setting, restRevoke(setting.template)),
      asked: (_server, { cookie }) => betterAuthDelete(cookie ?? ''),
    }),
  },
  {
    rows: [
      { name: 'graphql-revoke', peer: 'mercurius' },
      { name: 'graphql-revoke-apollo', peer: 'apollo' },
    ],
    ...{ unit: 'revocations/s', connections: CONNECTIONS, perAnswer: 1, durability: groupCommit },
    peerDurability: 'the same, in the same shared commits',
    prepare: async (setting) => revocation(setting, graphqlRevoke(setting.template)),
  },
  {
    rows: [
      { name: 'introspect', peer: 'oidc-provider' },
      { name: 'better-auth-verify', peer: 'better-auth' },
    ],
    ...{ unit: 'introspections/s', connections: CONNECTIONS, perAnswer: 1, durability: readOnly },
    peerDurability:
      'SQLite, WAL, synchronous=FULL; oidc-provider only reads, better-auth writes with each verification',
    prepare: async ({ template }) => ({
      workload: introspect(template),
      file: template.withKeys(INTROSPECTED),
      ...{ count: INTROSPECTED, once: false },
      asked: (server) => (server === 'better-auth' ? betterAuthVerify : oidcIntrospect(template)),
    }),
  },
  {
    rows: [{ name: 'introspect-jwt' }],
    ...{ unit: 'introspections/s', connections: CONNECTIONS, perAnswer: 1, durability: readOnly },
    prepare: async ({ template, extent }) => {
      const { file, tokens } = await makeTokens(template, template.bare, extent.tokens);
      const workload = introspectJwt(template, tokens);
      return {
        ...{ workload, file, count: tokens.length, once: false, asked: () => workload },
        watched: (few) => ({
          one: introspectJwt(template, few),
          several: introspectJwt(template, few),
        }),
      };
    },
  },
  {
    rows: [{ name: 'bulk-revoke' }],
    ...{
      unit: 'revocations/s',
      connections: 1,
      perAnswer: IDS_PER_BULK,
      requestsPerRound: 1,
    },
    durability:
      'SQLite, WAL, synchronous=FULL: 10,000 ids a request, answered after the last commit has reached the disk',
    prepare: async ({ template, extent }) => {
      const workload = bulkRevoke(template, IDS_PER_BULK);
      const bulks = extent.rounds + 1;
      return {
        workload,
        watched: () => ({ one: bulkRevoke(template, 2), several: bulkRevoke(template, 5) }),
        file: template.withKeys(bulks * IDS_PER_BULK),
        ...{ count: bulks, once: true },
        asked: () => workload,
      };
    },
  },
];

function revocation({ template, extent }: Setting, workload: Workload): Prepared {
  return {
    workload,
    file: template.withKeys(extent.keys),
    ...{ count: extent.keys, once: true },
    asked: () => workload,
  };
}

/** A server that is up, and how it is asked. */
export interface Contestant extends Asked {
  readonly name: Name;
  readonly pid: number | undefined;
  readonly port: number;
  readonly next: () => number | undefined;
  stop(): Promise<void>;
}

/** Starts a server on a copy of the data, or on data of its own. */
export async function enter(
  setting: Setting,
  name: Name,
  { workload, file, count, once, asked, watched }: Prepared,
): Promise<Contestant> {
  const { processes, template, extent } = setting;
  const copyName = `${workload.name}-${name}`;
  if (name === 'gateway') {
    const { logLevel } = extent;
    const { child, port } = await processes.serve(template.copy(file, copyName), { logLevel });
    const next = wander(count, { once });
    const stop = () => processes.stop(child);
    return { ...workload, name, pid: child.pid, port, next, stop };
  }
  const isOwn = name === 'oidc-provider' || name === 'better-auth';
  const { child, said }: Launched<Started> = await processes.launch('contestant.ts', {
    ...{ server: name, workload: workload.name, callers: template, count: countOf(name) },
    database: isOwn ? join(processes.folder, `${copyName}.db`) : template.copy(file, copyName),
    program: await setting.programOf(workload, watched),
  });
  const asks = isOwn ? asked(name, said) : workload;
  const next = wander(isOwn ? countOf(name) : count, { once });
  const stop = () => processes.stop(child);
  return { ...asks, name, pid: child.pid, port: said.port, next, stop };
}

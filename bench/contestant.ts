import { once } from 'node:events';
import type { Program } from './program.ts';
import type { Callers } from './template.ts';
import type { WorkloadName } from './workloads.ts';

/** A server that the gateway is held against, in a process of its own; started by `fork`. */

export interface Given {
  readonly server: ServerName;
  readonly database: string;
  readonly workload: WorkloadName;
  /** What the gateway executes for a request. */
  readonly program: Program;
  readonly port?: number;
}

/** What a server is given besides that has a database of its own. */
export interface GivenOwn extends Given {
  readonly callers: Callers;
  /** How many credentials it makes. */
  readonly count: number;
}

export interface Started {
  readonly port: number;
  /** Of the session in which it is asked, where it has any. */
  readonly cookie?: string;
}

export type ServerName = keyof typeof servers;

const servers = {
  floor: () => import('./floor.ts'),
  mercurius: () => import('./peers/mercurius.ts'),
  apollo: () => import('./peers/apollo.ts'),
  'oidc-provider': () => import('./peers/oidc-provider.ts'),
  'better-auth': () => import('./peers/better-auth.ts'),
};

const [given] = (await once(process, 'message')) as [GivenOwn];
const { serve } = await servers[given.server]();
const served = await serve(given);
process.send?.((typeof served === 'number' ? { port: served } : served) satisfies Started);

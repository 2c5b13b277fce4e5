import { setTimeout } from 'node:timers/promises';
import type { Demo } from '../db/demo.ts';
import { wrongIn, wrongWithSecrets } from './crash-checks.ts';
import { type CrashEngine, type EngineName, engines } from './crash-engines.ts';
import { fill, type Gateway, serve } from './crash-gateway.ts';
import { startLoad, type Told } from './crash-load.ts';
import { type Target, targetsOf } from './crash-targets.ts';

/** What came of crashing an engine so many times. */
export interface Rounds {
  readonly engine: EngineName;
  rounds: number;
  answered: number;
  created: number;
  /** Requests whose connection broke before an answer. */
  unanswered: number;
  unavailable: number;
  readonly problems: string[];
}

export interface RoundsOptions {
  readonly rounds: number;
  readonly seed: number;
  readonly progress: (line: string) => void;
}

/** Demo credentials of each kind in one database; with fewer than `LEFT_MIN` targets it is replaced. */
const COUNT = 600;
const LEFT_MIN = 400;
const LOAD_MIN_MS = 50;
const LOAD_MAX_MS = 600;
/** Within which a gateway answers as before, once its database is back. */
const RECOVERY_MAX_MS = 15_000;
/** Credentials of each sort that are asked about in a round. */
const SAMPLES = 10;

/** A database, what is left to revoke in it, and what clients were told of it. */
interface Ground {
  readonly engine: CrashEngine;
  readonly demo: Demo;
  readonly waiting: Target[];
  readonly told: Told;
  gateway: Gateway;
}

/** Crashes an engine under load again and again, and looks at what is there after each restart. */
export async function runRounds(name: EngineName, options: RoundsOptions): Promise<Rounds> {
  const { rounds, seed, progress } = options;
  const random = randomFrom(seed);
  const sum: Rounds = {
    ...{ engine: name, rounds: 0, problems: [] },
    ...{ answered: 0, created: 0, unanswered: 0, unavailable: 0 },
  };
  let ground: Ground | undefined;

  async function leave(): Promise<void> {
    if (ground === undefined) return;
    await ground.gateway.kill9();
    await ground.engine.remove();
    const { told } = ground;
    sum.answered += told.revoked.size;
    sum.created += told.created.size;
    sum.unanswered += told.unanswered;
    sum.unavailable += told.unavailable;
    ground = undefined;
  }

  try {
    for (let round = 1; round <= rounds && sum.problems.length === 0; round++) {
      if (ground !== undefined && ground.waiting.length < LEFT_MIN) await leave();
      ground ??= await makeGround(name);
      sum.rounds = round;
      const { told } = ground;
      const before = told.revoked.size;
      await crashOnce(ground, name, random);
      sum.problems.push(
        ...told.problems.splice(0),
        ...(await wrongIn(ground.engine, told)),
        ...(await wrongWithSecrets(ground.gateway.url, ground.demo.oauthClient, samples(ground))),
      );
      progress(
        `${name}: round ${round} of ${rounds}: ${told.revoked.size - before} revocations answered, ` +
          `${sum.problems.length} problems`,
      );
    }
  } finally {
    await leave();
  }
  return sum;
}

async function makeGround(name: EngineName): Promise<Ground> {
  const engine = await engines[name]();
  const demo = await fill(engine.databaseUrl, engine.folder, COUNT);
  const told: Told = {
    ...{ revoked: new Map(), created: new Set(), revokedBefore: new Set(), problems: [] },
    ...{ unanswered: 0, unavailable: 0 },
  };
  const gateway = await serve(engine.databaseUrl, engine.folder);
  return { engine, demo, waiting: targetsOf(demo), told, gateway };
}

/** Load, the crash at a random moment of it, and the restart. */
async function crashOnce(ground: Ground, name: EngineName, random: () => number): Promise<void> {
  const { engine, demo, waiting, told } = ground;
  let crashed = false;
  const load = startLoad({
    ...{ waiting, random, told, url: ground.gateway.url },
    token: demo.callers.personalAccessToken,
    // A gateway outlives its PostgreSQL.
    mayBreak: () => crashed && name === 'sqlite',
  });
  try {
    if (!(await load.answered(RECOVERY_MAX_MS))) told.problems.push('Nothing is answered');
    await setTimeout(LOAD_MIN_MS + random() * (LOAD_MAX_MS - LOAD_MIN_MS));
    crashed = true;
    await engine.crash(ground.gateway);
    if (name === 'sqlite') {
      await load.stop();
      ground.gateway = await engine.restart(ground.gateway);
      return;
    }
    told.problems.push(...(await wrongWhileDown(ground.gateway)));
    await setTimeout(random() * 300);
    const ended = ground.gateway.ended;
    if (ended) told.problems.push('The gateway ended with its database');
    await engine.restart(ground.gateway);
    if (!ended && !(await load.answered(RECOVERY_MAX_MS))) {
      told.problems.push(`The gateway does not go on within ${RECOVERY_MAX_MS} ms of the restart`);
    }
  } finally {
    await load.stop();
  }
}

/** Without its database a gateway is alive, and not ready. */
async function wrongWhileDown({ url }: Gateway): Promise<string[]> {
  const [live, ready] = await Promise.all(
    ['live', 'ready'].map((path) => fetch(`${url}/health/${path}`)),
  );
  if (live?.status === 200 && ready?.status === 503) return [];
  return [`Without a database: /health/live ${live?.status}, /health/ready ${ready?.status}`];
}

function samples({ told, waiting }: Ground): { revoked: Target[]; good: Target[] } {
  return {
    revoked: [...told.revoked.values()].slice(-SAMPLES),
    good: waiting.filter(({ tried }) => !tried).slice(-SAMPLES),
  };
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

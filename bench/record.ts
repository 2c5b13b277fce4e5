import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Answer, exchange, headersOf } from './http-text.ts';
import type { Observation, Program } from './program.ts';
import type { Executed } from './record-hook.ts';
import type { Workload } from './workloads.ts';

/** A server whose statements are noted. */
export interface Watched {
  readonly child: ChildProcess;
  readonly port: number;
}

export const hook = join(import.meta.dirname, 'record-hook.ts');

/** How often requests are sent together until they share a commit. */
const TRIES_MAX = 20;

/** Looks at what a server executes. */
export interface Recorder {
  /** How the connections were set up. */
  readonly pragmas: Program['pragmas'];
  /** Asks for some items one by one. */
  one(workload: Workload, items: readonly number[]): Promise<readonly Observation[]>;
  /** Asks for items in one piece, until they share a commit. */
  together(workload: Workload, next: () => readonly number[]): Promise<Observation>;
}

/** Watches a server that was started with the hook; what it does while nobody asks is left out. */
export async function openRecorder(watched: Watched, idleMs: number): Promise<Recorder> {
  const opening = await take(watched.child);
  const pragmasOf = (readonly: boolean) =>
    opening
      .filter((each) => each.readonly === readonly && /^pragma .*=/i.test(each.sql))
      .map(({ sql }) => sql);
  const pragmas = { reader: pragmasOf(true), writer: pragmasOf(false) };
  await pause(idleMs);
  const idle = new Set((await take(watched.child)).map(({ sql }) => sql));

  async function observe(workload: Workload, items: readonly number[]): Promise<Observation> {
    await take(watched.child);
    const fromMs = Date.now();
    const answers = await ask(watched.port, workload, items);
    const toMs = Date.now();
    const executed = (await take(watched.child)).filter(({ sql }) => !idle.has(sql));
    const known = answers.map((answer, n) => {
      const item = items[n] ?? 0;
      const requestId = headersOf(answer)['x-request-id'] ?? '';
      const told = byText(workload.told?.(item) ?? {});
      return workload
        .named(item)
        .map((names) => ({ fromMs, toMs, told, texts: byText({ ...names, requestId }) }));
    });
    const [answer] = answers as [Answer];
    const [shared] = known.flat();
    if (shared === undefined) throw new Error(`${workload.name} names nothing`);
    return {
      ...{ executed, shared, each: known.flat() },
      ...{ headers: headersOf(answer), body: answer.body },
    };
  }

  return {
    pragmas,
    async one(workload, items) {
      const observations: Observation[] = [];
      for (const item of items) observations.push(await observe(workload, [item]));
      return observations;
    },
    async together(workload, next) {
      for (let tries = 1; ; tries++) {
        const observation = await observe(workload, next());
        const commits = observation.executed.filter(({ sql }) => /^commit/i.test(sql)).length;
        if (commits <= 1) return observation;
        if (tries === TRIES_MAX) throw new Error('Requests never share a commit');
      }
    },
  };
}

/** Sends requests in one piece; all must be answered as is right. */
export async function ask(
  port: number,
  workload: Workload,
  items: readonly number[],
): Promise<readonly Answer[]> {
  const answers = await exchange(port, items.map(workload.request));
  for (const [n, { status, body }] of answers.entries()) {
    if (status === 200 && workload.isRight(body, items[n] ?? 0)) continue;
    throw new Error(`${workload.name} was answered with ${status}: ${body}`);
  }
  return answers;
}

/** What a process with the hook has executed since this was asked last. */
export async function take(child: ChildProcess): Promise<readonly Executed[]> {
  const told = once(child, 'message');
  child.send('take');
  const [{ noted }] = (await told) as [{ noted: readonly Executed[] }];
  return noted;
}

const byText = (names: Readonly<Record<string, string>>) =>
  new Map(Object.entries(names).map(([name, text]) => [text, name] as const));

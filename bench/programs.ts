import { CHUNK_MS } from '../src/perform-many.ts';
import type { Started } from './contestant.ts';
import type { Processes } from './processes.ts';
import { type Observation, type Program, toProgram } from './program.ts';
import { hook, openRecorder, type Recorder } from './record.ts';
import type { Watching } from './setting.ts';
import type { Template } from './template.ts';
import { makeTokens } from './tokens.ts';
import type { Workload, WorkloadName } from './workloads.ts';

/** For how long it is looked at what a gateway does that nobody asks: it looks around every second. */
const IDLE_MS = 1_300;
/** Keys and tokens of the small database on which it is looked at what is executed. */
const KEYS = 10_000;
const TOKENS = 2_000;
/** Items have other owners each, so that an id of an owner does not pass for one that never changes. */
const STRIDE = 11;
/** Bulk requests have several keys each, which no other request uses. */
const FIRST_OF_BULK = 1_000;

/** Finds what the gateway executes for a request, and sees to it that the floor executes the same. */
export function createPrograms(processes: Processes, template: Template) {
  const programs = new Map<WorkloadName, Promise<Program>>();
  let opened: Promise<Opened> | undefined;

  async function open(): Promise<Opened> {
    const { file, tokens } = await makeTokens(template, template.withKeys(KEYS), TOKENS);
    const database = template.copy(file, 'watched');
    const recorder = await openRecorder(await processes.serve(database, { hook }), IDLE_MS);
    let used = 0;
    const next = () => {
      used += 1;
      if (used * STRIDE >= TOKENS) throw new Error('Too much was tried to see what is executed');
      return used;
    };
    return { file, tokens, recorder, next };
  }

  async function find(workload: Workload, watching: Watching): Promise<Program> {
    opened ??= open();
    const { file, tokens, recorder, next } = await opened;
    const { one, several } = watching(tokens);
    const isBulk = workload.name === 'bulk-revoke';
    const item = () => (isBulk ? FIRST_OF_BULK + next() : STRIDE * next());
    // The first requests of all prepare what the others find.
    const [, , ...singles] = await recorder.one(one, [item(), item(), item(), item()]);
    const together = isBulk ? () => [item()] : () => [item(), item(), item()];
    const shared = await recorder.together(several, together);
    const program = {
      ...toProgram(recorder.pragmas, [...singles, shared]),
      chunkMs: CHUNK_MS,
    };

    const database = template.copy(file, `watched-${workload.name}`);
    const given = { server: 'floor', workload: workload.name, database, program };
    const { child, said } = await processes.launch<Started>('contestant.ts', given, { hook });
    const floor = await openRecorder({ child, port: said.port }, 0);
    const [single] = await floor.one(one, [item()]);
    expectSame(workload.name, singles[0], single);
    expectSame(workload.name, shared, await floor.together(several, together));
    await processes.stop(child);
    return program;
  }

  return (
    workload: Workload,
    watching: Watching = () => ({ one: workload, several: workload }),
  ): Promise<Program> => {
    const there = programs.get(workload.name);
    if (there !== undefined) return there;
    const program = find(workload, watching);
    programs.set(workload.name, program);
    return program;
  };
}

interface Opened {
  readonly file: string;
  readonly tokens: readonly string[];
  readonly recorder: Recorder;
  readonly next: () => number;
}

/** The statements of each connection. Reads of several requests come in any order. */
export function statementsOf(observation: Observation | undefined) {
  const of = (readonly: boolean) =>
    (observation?.executed ?? [])
      .filter((each) => each.readonly === readonly)
      .map(({ sql }) => sql);
  return { reads: of(true).sort(), writes: of(false) };
}

function expectSame(
  name: string,
  gateway: Observation | undefined,
  floor: Observation | undefined,
): void {
  const [expected, actual] = [gateway, floor].map((each) =>
    JSON.stringify(statementsOf(each), null, 1),
  );
  if (expected === actual) return;
  throw new Error(`${name}: the floor does not do what the gateway does:\n${expected}\n${actual}`);
}

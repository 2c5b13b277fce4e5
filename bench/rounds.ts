import { load } from './load.ts';
import { type Contestant, enter, type Match, type Name, type Prepared } from './matches.ts';
import { cpuUsOf } from './process-usage.ts';
import type { Result, Setting } from './setting.ts';
import { summaryOf } from './statistics.ts';

const wantedOf = ({ rows }: Match, { wants }: Setting) => rows.filter(({ name }) => wants(name));
const titleOf = (rows: Match['rows']) => rows.map(({ name }) => name).join(', ');

/** What came of the rounds of one server. */
interface Taken {
  readonly rates: number[];
  cpuUs: number;
  units: number;
}

/** After each part of its time it is seen whether a server is warm. */
const WARM_PARTS = 8;

/** Makes what a match needs, and sees what its requests execute; undefined where no row is asked for. */
export async function prepare(match: Match, setting: Setting): Promise<Prepared | undefined> {
  const rows = wantedOf(match, setting);
  if (rows.length === 0) return undefined;
  setting.progress(`${titleOf(rows)}: filling, and seeing what is executed`);
  const prepared = await match.prepare(setting);
  await setting.programOf(prepared.workload, prepared.watched);
  return prepared;
}

/** Has the servers of a match asked in turns, and gives its rows. */
export async function play(
  match: Match,
  prepared: Prepared,
  setting: Setting,
): Promise<readonly Result[]> {
  const { extent, progress } = setting;
  const rows = wantedOf(match, setting);
  const title = titleOf(rows);
  const peers = rows.flatMap(({ peer }) => peer ?? []);
  const names: readonly Name[] = ['gateway', 'floor', ...peers];
  const contestants: Contestant[] = [];
  const taken = new Map<Name, Taken>(
    names.map((name) => [name, { rates: [], cpuUs: 0, units: 0 }]),
  );
  const ask = async (contestant: Contestant, seconds: number) => {
    let left = match.requestsPerRound ?? Number.POSITIVE_INFINITY;
    const { answers, seconds: took } = await load({
      ...contestant,
      next: () => (left-- > 0 ? contestant.next() : undefined),
      connections: match.connections,
      ...(match.requestsPerRound === undefined && { seconds }),
    });
    if (answers === 0) throw new Error(`${title}: there were too few rows for so many rounds`);
    return { units: answers * match.perAnswer, took };
  };
  /** As many requests for each: compilers count calls, and a server that is slower has as many to come. */
  const warm = async (contestant: Contestant) => {
    let [units, seconds] = [0, 0];
    do {
      const { took, ...asked } = await ask(contestant, extent.warmSeconds / WARM_PARTS);
      units += asked.units;
      seconds += took;
    } while (
      match.requestsPerRound === undefined &&
      units < extent.warmRequests &&
      seconds < extent.warmSeconds
    );
  };
  try {
    progress(`${title}: starting ${names.join(', ')}`);
    const entering = names.map((name) => enter(setting, name, prepared));
    contestants.push(...(await Promise.all(entering)));
    for (const contestant of contestants) {
      progress(`${title}: warming ${contestant.name}`);
      await warm(contestant);
    }
    for (let round = 0; round < extent.rounds; round++) {
      progress(`${title}: round ${round + 1} of ${extent.rounds}`);
      for (const each of round % 2 === 0 ? contestants : contestants.toReversed()) {
        const before = cpuUsOf(each.pid) ?? Number.NaN;
        const { units, took } = await ask(each, extent.seconds);
        const its = taken.get(each.name) as Taken;
        its.rates.push(units / took);
        its.units += units;
        its.cpuUs += (cpuUsOf(each.pid) ?? Number.NaN) - before;
      }
    }
  } finally {
    for (const { stop } of contestants) await stop();
  }
  const of = (name: Name) => summaryOf(taken.get(name)?.rates ?? []);
  const cpuUs = (name: Name) => {
    const { cpuUs: us, units } = taken.get(name) as Taken;
    return Math.round((us / units) * 10) / 10;
  };
  const [value, floor] = [of('gateway'), of('floor')];
  return rows.map(({ name, peer: peerName = null }) => {
    const peer = peerName && of(peerName);
    return {
      ...{ name, value: value.median, unit: match.unit, floor: floor.median },
      ...{ peer: peer?.median ?? null, peerName },
      spread: {
        value: [value.min, value.max],
        floor: [floor.min, floor.max],
        peer: peer && [peer.min, peer.max],
      },
      cpuUs: {
        ...{ value: cpuUs('gateway'), floor: cpuUs('floor') },
        peer: peerName && cpuUs(peerName),
      },
      durability: match.durability,
      ...(peer && { peerDurability: match.peerDurability ?? match.durability }),
    };
  });
}

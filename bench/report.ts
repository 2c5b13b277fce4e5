import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir, totalmem } from 'node:os';
import type { Range, Result } from './setting.ts';

/** Where it was measured, in a line. */
export function machineText(logLevel: string): string {
  const gb = (totalmem() / 2 ** 30).toFixed(0);
  const model = cpus()[0]?.model ?? 'unknown';
  return (
    `Node ${process.version}, ${availableParallelism()} cores (${model}), ${gb} GiB; ` +
    `databases on ${diskOf(tmpdir())}; the gateway with PROFILE=production, LOG_LEVEL=${logLevel}`
  );
}

/** The device and the file system that a folder is on, where the system tells. */
function diskOf(folder: string): string {
  try {
    const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
    const within = mounts
      .map((line) => line.split(' '))
      .filter(([, at = '']) => folder === at || folder.startsWith(at === '/' ? at : `${at}/`))
      .toSorted(([, a = ''], [, b = '']) => b.length - a.length)[0];
    return within === undefined ? folder : `${folder} (${within[0]}, ${within[2]})`;
  } catch {
    return folder;
  }
}

/** A row as a line of JSON: first the members that scripts rely on, then the rest. */
export function jsonLine(result: Result, machine: string): string {
  const { name, value, unit, floor, peer, peerName, ...rest } = result;
  return JSON.stringify({
    ...{ name, value: rounded(value), unit, floor: rounded(floor), peer: rounded(peer), peerName },
    ratioToFloor: ratio(value, floor),
    ratioToPeer: ratio(value, peer),
    ...rest,
    machine,
  });
}

/** The rows as people read them. */
export function table(results: readonly Result[], machine: string): string {
  const head = ['', 'gateway', 'floor', '', 'peer', '', ''];
  const lines = results.map(({ name, value, unit, floor, peer, peerName, spread }) => [
    name,
    withSpread(value, spread.value),
    withSpread(floor, spread.floor),
    times(ratio(value, floor)),
    withSpread(peer, spread.peer) + (peerName === null ? '' : ` ${peerName}`),
    times(ratio(value, peer)),
    unit,
  ]);
  const widths = head.map((_, i) =>
    Math.max(...[head, ...lines].map((cells) => cells[i]?.length ?? 0)),
  );
  const text = [head, ...lines].map((cells) =>
    cells
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const cpu = results.flatMap(({ name, cpuUs, peerName }) => {
    if (cpuUs === undefined) return [];
    const peer = peerName === null ? '' : `, ${peerName} ${cpuUs.peer}`;
    return `${name}: CPU time of each, in microseconds: gateway ${cpuUs.value}, floor ${cpuUs.floor}${peer}.`;
  });
  const notes = results.flatMap(({ name, note }) =>
    note === undefined ? [] : `${name}: ${note}.`,
  );
  const durabilities = Map.groupBy(results, ({ durability, peerDurability }) =>
    peerDurability === undefined ? durability : `${durability}. Peer: ${peerDurability}`,
  );
  const durable = [...durabilities].map(
    ([said, rows]) => `Durability of ${rows.map(({ name }) => name).join(', ')}: ${said}.`,
  );
  const legend = 'Medians of the rounds, and the least and the most of them.';
  return [...text, '', legend, machine, ...cpu, ...notes, ...durable, ''].join('\n');
}

const ratio = (value: number, other: number | null) =>
  other === null ? null : Math.round((value / other) * 1000) / 1000;

const times = (value: number | null) => (value === null ? '' : `× ${value.toFixed(2)}`);

function rounded<T extends number | null>(value: T): T {
  return (value === null ? null : Number(value.toPrecision(5))) as T;
}

const shown = (value: number) =>
  value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);

function withSpread(value: number | null, spread: Range | null): string {
  if (value === null) return '';
  return `${shown(value)}${spread === null ? '' : ` (${spread.map(shown).join('–')})`}`;
}

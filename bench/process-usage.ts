import { readFileSync } from 'node:fs';

/** Linux counts the time of processes in hundredths of a second, whatever the machine. */
const TICK_US = 10_000;

/** The CPU time that a process has taken with all its threads, in microseconds; undefined where nothing tells. */
export function cpuUsOf(pid: number | undefined): number | undefined {
  // Behind the name, which may hold anything.
  const fields = read(`/proc/${pid}/stat`)?.split(') ').at(-1)?.split(' ');
  return fields && (Number(fields[11]) + Number(fields[12])) * TICK_US;
}

/** The memory of a process that is in RAM, now and at most, in megabytes. */
export function memoryOf(pid: number | undefined): {
  readonly nowMb: number;
  readonly peakMb: number;
} {
  const status = read(`/proc/${pid}/status`) ?? '';
  const mb = (field: string) =>
    (Number(new RegExp(`^${field}:\\s*(\\d+) kB`, 'm').exec(status)?.[1]) * 1024) / 1e6;
  return { nowMb: mb('VmRSS'), peakMb: mb('VmHWM') };
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

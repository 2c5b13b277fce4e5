import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A disk that can be full, for a process whose files lie in the folder. */
export interface Disk {
  readonly folder: string;
  /** Has no room any more. */
  fill(pid?: number): void;
  free(pid: number): void;
  /** Before a command: has it start on the full disk. */
  readonly startFull: readonly string[];
}

/**
 * A small disk of its own, as long as a test runs. Where none may be mounted, the kernel refuses the
 * process every byte that it writes to a file instead.
 */
export function smallDisk(): Disk {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-disk-'));
  if (!mount(folder)) {
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    return {
      folder,
      fill: (pid) => pid !== undefined && refuseWrites(pid),
      free: allowWrites,
      startFull: ['prlimit', '--fsize=1:unlimited'],
    };
  }
  onTestFinished(() => {
    execFileSync('umount', ['--lazy', folder]);
    rmSync(folder, { recursive: true });
  });
  const filler = join(folder, 'filler');
  return {
    folder,
    fill: () => fillUp(filler),
    free: () => rmSync(filler),
    startFull: [],
  };
}

function mount(folder: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'none', folder], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function fillUp(filler: string): void {
  const fd = openSync(filler, 'w');
  try {
    for (let bytes = 1024 * 1024; bytes >= 1; ) {
      try {
        writeSync(fd, Buffer.alloc(bytes));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
        bytes = Math.floor(bytes / 2);
      }
    }
  } finally {
    closeSync(fd);
  }
}

/** Has the kernel refuse every byte that a process writes to a file. */
export const refuseWrites = (pid: number): void => limitFiles(pid, '1');

export const allowWrites = (pid: number): void => limitFiles(pid, 'unlimited');

function limitFiles(pid: number, limit: string): void {
  execFileSync('prlimit', ['--pid', String(pid), `--fsize=${limit}:unlimited`]);
}

/** Before a command: has it obey the rights of files although it is root's. */
export const withoutPrivileges: readonly string[] =
  process.getuid?.() === 0 ? ['setpriv', '--bounding-set=-all'] : [];

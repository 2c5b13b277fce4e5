import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Below this much free space on the disk of an SQLite database somebody should make room. */
export const DISK_FREE_BYTES_MIN = 256 * 1024 * 1024;

/** Tells how much is free on the disk of a database, in bytes; there is nothing to tell of a server's. */
export function diskOf(databaseUrl: string): (() => Promise<number>) | undefined {
  const file = databaseUrl.replace(/^sqlite:(\/\/)?/, '');
  if (file === databaseUrl || file === ':memory:') return undefined;
  return async () => {
    const { bavail, bsize } = await statfs(dirname(file));
    return bavail * bsize;
  };
}

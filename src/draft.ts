import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { type FileHandle, link, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { StartError } from './start-error.ts';

/** A file that has its name only once it is whole and on disk. */
export interface Draft {
  /** Where it lies until then. */
  readonly path: string;
  write(text: string): Promise<void>;
  /** Gives it its name; a file that has the name is left as it is, and this throws. */
  publish(): Promise<void>;
  /**
   * Gives it its name, in the place of the file that has the name. From root it goes to the owner of that,
   * or else of the folder: whoever used the file can use this one.
   */
  replace(): Promise<void>;
  /** Lets go of it, and deletes it where it was not published. */
  discard(): Promise<void>;
}

/** Begins a file for its owner alone, under a name that nobody else writes to. */
export async function draft(file: string): Promise<Draft> {
  const partial = `${file}.${randomBytes(8).toString('hex')}.partial`;
  const orStop = <T>(done: Promise<T>): Promise<T> =>
    done.catch((error: Error) => {
      throw new StartError(
        `${file} cannot be written (${error.message}): make room there, or choose another place.`,
        { cause: error },
      );
    });
  const handle = await orStop(open(partial, 'wx', 0o600));
  return {
    path: partial,
    write: (text) => orStop(handle.writeFile(text)),
    async publish() {
      await orStop(handle.sync());
      await orStop(link(partial, file)).catch((error: Error) => {
        if (!existsSync(file)) throw error;
        throw new StartError(`Another process has made ${file} meanwhile.`, { cause: error });
      });
      await orStop(settle(file));
    },
    async replace() {
      if (process.getuid?.() === 0) await orStop(own(handle, file));
      await orStop(handle.sync());
      await orStop(rename(partial, file));
      await orStop(settle(file));
    },
    async discard() {
      await handle.close();
      await Promise.all(besides.map((suffix) => rm(partial + suffix, { force: true })));
    },
  };
}

async function own(handle: FileHandle, file: string): Promise<void> {
  const { uid, gid } = await stat(existsSync(file) ? file : dirname(file));
  await handle.chown(uid, gid);
}

/** Resolves once a file that has its name is on disk with it; drafts of it can get that name no more, and go. */
export async function settle(file: string): Promise<void> {
  for (const partial of await draftsOf(file)) await rm(partial, { force: true });
  // A name is on disk only once its folder is.
  for (const path of [file, dirname(file)]) {
    const handle = await open(path, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }
}

/** What SQLite makes beside a file that it writes, and the file itself. */
const besides = ['', '-journal', '-wal', '-shm'];

/** What attempts at a file have beside it, or have left there. */
export async function draftsOf(file: string): Promise<string[]> {
  const start = `${basename(file)}.`;
  const names = await readdir(dirname(file));
  return names
    .filter(
      (name) =>
        name.startsWith(start) &&
        /^[\da-f]{16}\.partial(?:-journal|-wal|-shm)?$/.test(name.slice(start.length)),
    )
    .map((name) => join(dirname(file), name));
}

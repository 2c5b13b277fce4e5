import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { link, open, readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { StartError } from '../start-error.ts';
import { type Contents, digestOf, type Header, type Trailer } from './archive-text.ts';

/** A file that has its name only once it is whole and on disk. */
export interface Draft {
  write(text: string): Promise<void>;
  /** Gives it its name; a file that has the name is left as it is, and this throws. */
  publish(): Promise<void>;
  /** Lets go of it, and deletes it where it was not published. */
  discard(): Promise<void>;
}

/** Begins a file for its owner alone, under a name that nobody else writes to. */
export async function draft(file: string): Promise<Draft> {
  const partial = `${file}.${randomBytes(8).toString('hex')}.partial`;
  const orStop = <T>(done: Promise<T>): Promise<T> =>
    done.catch((error: Error) => {
      throw new StartError(
        `${file} cannot be written (${error.message}): make room, or choose another place with --to.`,
        { cause: error },
      );
    });
  const handle = await orStop(open(partial, 'wx', 0o600));
  return {
    write: (text) => orStop(handle.writeFile(text)),
    async publish() {
      await orStop(handle.sync());
      await orStop(link(partial, file)).catch((error: Error) => {
        if (!existsSync(file)) throw error;
        throw new StartError(`Another process has made ${file} meanwhile.`, { cause: error });
      });
      await orStop(settle(file));
    },
    async discard() {
      await handle.close();
      await rm(partial, { force: true });
    },
  };
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

/** What attempts at a file have beside it, or have left there. */
export async function draftsOf(file: string): Promise<string[]> {
  const start = `${basename(file)}.`;
  const names = await readdir(dirname(file));
  return names
    .filter(
      (name) => name.startsWith(start) && /^[\da-f]{16}\.partial$/.test(name.slice(start.length)),
    )
    .map((name) => join(dirname(file), name));
}

/** Reads an archive whole, and says what it holds; throws where it is not what was written. */
export async function checkArchive(file: string): Promise<Contents> {
  const wrong = (what: string) => new StartError(`${file} is no archive that is whole: ${what}.`);
  const hash = createHash('sha256');
  let header: Header | undefined;
  let trailer: Trailer | undefined;
  let [lastSeq, lastAtMs, entries, deliveries] = [0, 0, 0, 0];
  for await (const line of linesOf(file)) {
    if (trailer !== undefined) throw wrong('something follows its last line');
    const read = parsed(line);
    if (header === undefined) {
      if (read?.type !== 'archive' || read.version !== 1)
        throw wrong('its first line is no header');
      header = read as unknown as Header;
      lastSeq = header.firstSeq - 1;
    } else if (read?.type === 'end') {
      trailer = read as unknown as Trailer;
      continue;
    } else {
      const { seq, at_ms, deliveries: own } = read ?? {};
      if (seq !== lastSeq + 1) throw wrong(`entry ${lastSeq + 1} is missing`);
      [lastSeq, lastAtMs] = [seq, Number(at_ms)];
      entries += 1;
      deliveries += (own as readonly unknown[]).length;
    }
    hash.update(line).update('\n');
  }
  if (header === undefined || trailer === undefined) throw wrong('it has no last line');
  const counted = { lastSeq, entries, deliveries, digest: digestOf(hash) };
  for (const [name, value] of Object.entries(counted)) {
    const said = trailer[name as keyof Trailer];
    if (said !== value) throw wrong(`its ${name} should be ${said}, and is ${value}`);
  }
  const { firstSeq, previousDigest } = header;
  return { firstSeq, previousDigest, ...counted, lastAtMs };
}

function parsed(line: Buffer): Record<string, unknown> | undefined {
  try {
    return JSON.parse(line.toString()) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

/** Lines as they were written: only a line feed ends one. */
async function* linesOf(file: string): AsyncGenerator<Buffer> {
  let rest: Buffer[] = [];
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    let from = 0;
    for (let to = chunk.indexOf(10); to >= 0; to = chunk.indexOf(10, from)) {
      yield Buffer.concat([...rest, chunk.subarray(from, to)]);
      rest = [];
      from = to + 1;
    }
    rest.push(chunk.subarray(from));
  }
  const last = Buffer.concat(rest);
  if (last.length > 0) yield last;
}

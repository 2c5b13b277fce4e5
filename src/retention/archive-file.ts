import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { LedgerEntry } from '../../db/tables.ts';
import { StartError } from '../start-error.ts';
import { type Contents, digestOf, type Header, type Trailer } from './archive-text.ts';

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

/** The entries of an archive, in order, as the ledger had them; of one that was checked. */
export async function* archivedEntries(file: string): AsyncGenerator<LedgerEntry> {
  for await (const line of linesOf(file)) {
    const { type, deliveries: _its, ...entry } = parsed(line) ?? {};
    if (type === 'entry') yield entry as unknown as LedgerEntry;
  }
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

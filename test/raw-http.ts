import { connect } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import type { Answer } from './harness.ts';

/** HTTP as bytes, as nobody's client would write it. */

/** Sends these bytes, piece by piece, and reads all that comes until the other side has closed. */
export async function speak(port: number, pieces: readonly Buffer[]): Promise<Buffer> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  // What was refused before it was read to its end may be reset.
  socket.on('error', () => undefined);
  const closed = new Promise<'closed'>((done) => {
    socket.once('close', () => done('closed'));
    socket.once('end', () => done('closed'));
  });
  for (const [i, piece] of pieces.entries()) {
    if (i > 0) await setTimeout(1);
    if (socket.writable) socket.write(piece);
  }
  if (socket.writable) socket.end();
  const ended = await Promise.race([closed, setTimeout(10_000, 'open' as const)]);
  socket.destroy();
  if (ended === 'open') throw new Error(`Left open: ${Buffer.concat(pieces).toString('latin1')}`);
  return Buffer.concat(chunks);
}

/** The answers in what a server has sent, one after the other; those to HEAD are not asked for. */
export function readAnswers(bytes: Buffer): Answer[] {
  const answers: Answer[] = [];
  let rest = bytes;
  while (rest.length > 0) {
    const end = rest.indexOf('\r\n\r\n');
    const head = rest.subarray(0, Math.max(end, 0)).toString('latin1');
    const [line = '', ...fields] = head.split('\r\n');
    const status = Number(/^HTTP\/1\.1 (\d{3}) [\w ]+$/.exec(line)?.[1]);
    if (!(status >= 100)) throw new Error(`No answer: ${rest.subarray(0, 200).toString('latin1')}`);
    const headers = Object.fromEntries(
      fields.map((field) => {
        const colon = field.indexOf(':');
        return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()];
      }),
    );
    rest = rest.subarray(end + 4);
    if (status < 200) continue;
    const [body, length] =
      headers['transfer-encoding'] === 'chunked' ? readChunks(rest) : readLength(rest, headers);
    answers.push({ status, headers, body: body.toString() });
    rest = rest.subarray(length);
  }
  return answers;
}

function readLength(rest: Buffer, headers: Record<string, string>): [Buffer, number] {
  const length = Number(headers['content-length'] ?? 0);
  if (rest.length < length) throw new Error(`${rest.length} of ${length} bytes`);
  return [rest.subarray(0, length), length];
}

function readChunks(rest: Buffer): [Buffer, number] {
  const chunks: Buffer[] = [];
  let at = 0;
  while (true) {
    const end = rest.indexOf('\r\n', at);
    // A stream that was broken off has no last one.
    if (end < 0) return [Buffer.concat(chunks), rest.length];
    const size = Number.parseInt(rest.subarray(at, end).toString(), 16);
    chunks.push(rest.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
    if (size === 0) return [Buffer.concat(chunks), at];
  }
}

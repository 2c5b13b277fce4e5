import { connect } from 'node:net';

/** HTTP/1.1 as text: as little as it takes to ask and to know where an answer ends. */

export interface Answer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
  /** How much of the text it is. */
  readonly length: number;
}

/** The first answer of a text; undefined where it is not all there. */
export function readAnswer(text: string): Answer | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return undefined;
  const head = text.slice(0, end);
  const status = Number(head.slice(9, 12));
  const start = end + 4;
  const said = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (said === undefined) return readChunks(text, { status, head, start });
  const length = start + Number(said);
  if (text.length < length) return undefined;
  return { status, head, body: text.slice(start, length), length };
}

function readChunks(
  text: string,
  { status, head, start }: { status: number; head: string; start: number },
): Answer | undefined {
  if (!/\r\ntransfer-encoding: *chunked/i.test(head)) {
    throw new Error(`An answer that does not say where it ends:\n${head}`);
  }
  let body = '';
  for (let at = start; ; ) {
    const line = text.indexOf('\r\n', at);
    if (line === -1) return undefined;
    const size = Number.parseInt(text.slice(at, line), 16);
    const next = line + 2 + size + 2;
    if (text.length < next) return undefined;
    if (size === 0) return { status, head, body, length: next };
    body += text.slice(line + 2, next - 2);
    at = next;
  }
}

export const headersOf = ({ head }: Answer): Record<string, string> =>
  Object.fromEntries(
    head
      .split('\r\n')
      .slice(1)
      .map((line) => line.split(/: *(.*)/s).slice(0, 2))
      .map(([name = '', value = '']) => [name.toLowerCase(), value]),
  );

/** A request as it goes over the wire. */
export function requestText(
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body?: string,
): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const length = body === undefined ? '' : `content-length: ${Buffer.byteLength(body)}\r\n`;
  return `${method} ${path} HTTP/1.1\r\nhost: localhost\r\n${lines.join('')}${length}\r\n${body ?? ''}`;
}

/** Sends requests in one piece, so that a server reads them in one turn, and gives the answers. */
export function exchange(port: number, requests: readonly string[]): Promise<readonly Answer[]> {
  return new Promise((resolve, reject) => {
    const answers: Answer[] = [];
    let text = '';
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    socket.setEncoding('latin1');
    socket.once('error', reject);
    socket.once('close', () => reject(new Error(`Only ${answers.length} answers: ${text}`)));
    socket.on('data', (chunk: string) => {
      text += chunk;
      for (let answer = readAnswer(text); answer !== undefined; answer = readAnswer(text)) {
        answers.push(answer);
        text = text.slice(answer.length);
      }
      if (answers.length === requests.length) {
        socket.destroy();
        resolve(answers);
      }
    });
    socket.write(requests.join(''), 'latin1');
  });
}

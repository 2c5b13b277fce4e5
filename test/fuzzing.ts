import fc from 'fast-check';
import { expect } from 'vitest';
import { credentials } from '../src/credentials/kinds.ts';
import { general } from './fuzzing-bodies.ts';
import type { Answer } from './harness.ts';
import type { OpenapiDocument } from './openapi.ts';
import type { Strangers } from './strangers.ts';

/** How often each property is tried, and what no answer may be. */

/** Cases of each route, mutation or field; `FUZZ_RUNS=400` looks longer. */
export const RUNS = Number(process.env.FUZZ_RUNS ?? 15);

/** Tests with this many properties, on a machine that has other things to do. */
export const timeoutFor = (properties: number): number => 60_000 + properties * RUNS * 60;

/** Tries a property; what fails says with which seed and path it does so again. */
export async function hold<T>(
  given: fc.Arbitrary<T>,
  property: (one: T) => Promise<void>,
  numRuns = RUNS,
): Promise<void> {
  const seed = process.env.FUZZ_SEED === undefined ? {} : { seed: Number(process.env.FUZZ_SEED) };
  // What was sent before has changed what is there: a long search for less would be in vain.
  const interrupt = { interruptAfterTimeLimit: timeoutFor(1), markInterruptAsFailure: true };
  await fc.assert(fc.asyncProperty(given, property), { numRuns, ...seed, ...interrupt });
}

/** What tells of the inside: stacks, paths of files, SQL, and the words of libraries. */
const inside: readonly RegExp[] = [
  /\n\s+at .*:\d+|\bat (?:async )?[\w.<>]+ \(/,
  /\/src\/|\/dist\/|node_modules|node:internal|\.[mc]?[tj]s:\d|\/tmp\//,
  /SQLITE|\bselect .+ from |insert into|update \w+ set|delete from|no such (?:table|column)/i,
  /(?:unique|foreign key|check) constraint|syntax error at|invalid input syntax|violates|pg_/i,
  /\b(?:better-sqlite|kysely|postgres|fastify|FST_|pothos|yoga|zod|undici|jose|find-my-way)/i,
  /\bJW[TSEK][A-Z]\w+|ERR_[A-Z]|ECONN|ENOTFOUND|EAI_|ETIMEDOUT|EHOSTUNREACH|UND_/,
  /is not (?:a function|iterable|valid JSON)|(?<!\\" )is not defined|Cannot (?:read|set|destructure|convert|mix)/,
  /(?:Type|Range|Reference|Assertion|Internal|Eval|URI)Error|Unexpected (?:token|end of|non-)|call stack/i,
  /\[object Object\]/,
];

/** What is for browsers and nobody's secret: pages, and the scripts of others. */
const isPage = (type: string) =>
  /^text\/(?:html|css|javascript)|^application\/javascript/.test(type);

/** What is wrong with an answer, whatever was asked; `sent` is what it may repeat. */
export function wrongIn(
  answer: Answer,
  { sent, strangers }: { sent: string; strangers: Strangers },
): string[] {
  const { status, headers, body } = answer;
  const wrong: string[] = [];
  if (!(status >= 200 && status < 500)) wrong.push(`status ${status}`);
  if (!/^req-[0-9A-Za-z]{14}$/.test(headers['x-request-id'] ?? '')) wrong.push('no request id');
  if (headers['x-content-type-options'] !== 'nosniff') wrong.push('may be sniffed');
  if (status === 401 && headers['www-authenticate'] === undefined) wrong.push('no challenge');
  const all = `${JSON.stringify(headers)}\n${body}`;
  wrong.push(...strangers.in(all));
  if (!isPage(headers['content-type'] ?? '')) {
    for (const pattern of inside) {
      const [found] = pattern.exec(masked(all)) ?? [];
      if (found !== undefined && !sent.includes(found)) wrong.push(`says ${found}`);
    }
  }
  return wrong;
}

/** Fails where an answer is wrong, or is worded otherwise than all are on this path. */
export function expectSound(
  answer: Answer,
  about: { sent: string; strangers: Strangers; path: string; document: OpenapiDocument },
): void {
  const wrong = wrongIn(answer, about);
  const worded = answer.status < 400 ? '' : general(credentials, about, answer);
  if (worded !== '') wrong.push(worded);
  const { status, headers, body } = answer;
  const shown = wrong.length === 0 ? undefined : { status, headers, body: body.slice(0, 1_000) };
  expect({ wrong, answer: shown }).toEqual({ wrong: [] });
}

/** What differs between two answers although the same was asked: made anew each time. */
export const alike = (
  { status, headers, body }: Answer,
  pairs: readonly (readonly [string, string])[],
) => {
  const { 'content-type': type, 'www-authenticate': challenge } = headers;
  let text = body;
  for (const [theirs, nobodys] of pairs) {
    for (const form of [encodeURIComponent, (plain: string) => plain]) {
      text = text.replaceAll(form(theirs), form(nobodys));
    }
  }
  return {
    ...{ status, type, challenge },
    body: masked(text),
  };
};

/** The text without what is made anew each time, and may look like anything. */
const masked = (text: string) =>
  text
    .replace(/req-[0-9A-Za-z]{14}/g, 'REQUEST')
    .replace(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'ID')
    .replace(/\b(?:rgw_\w+?_|ksh_|whsec_)[\w+/=-]{20,}/g, 'SECRET')
    .replace(/\beyJ[\w-]+\.[\w-]+\.[\w-]+/g, 'JWT')
    .replace(/"[\w-]{22,}"/g, '"KEY"')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME');

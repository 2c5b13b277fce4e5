import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './processes.ts';

/** Reads the project's pages, as far as its tests need to. */

/** The text of a page; its path is from the root of the project. */
export const page = (path: string): string => readFileSync(join(root, path), 'utf8');

/** The part of a page below a heading, up to the next of its level or above. */
export function section(text: string, heading: string): string {
  const level = /^#+/.exec(heading)?.[0].length ?? 0;
  const from = text.indexOf(`\n${heading}\n`);
  if (from === -1) throw new Error(`There is no heading "${heading}"`);
  const below = text.slice(from + heading.length + 2);
  const end = below.search(new RegExp(`^#{1,${level}} `, 'm'));
  return end === -1 ? below : below.slice(0, end);
}

/** A fenced block. */
export interface Block {
  readonly language: string;
  readonly code: string;
}

/** The fenced blocks of a text, in order. */
export const blocks = (text: string): Block[] =>
  [...text.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(([, language = '', code = '']) => ({
    language,
    code,
  }));

/** The rows of every table of a text, without its heading rows, cell by cell. */
export const rows = (text: string): string[][] =>
  text
    .split('\n')
    .filter((line, i, lines) => line.startsWith('| ') && !lines[i + 1]?.startsWith('|---'))
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    );

/** The cells of a column of a table's rows. */
export const column = (text: string, i: number): string[] => rows(text).map((row) => row[i] ?? '');

/** What a text has between backticks. */
export const quoted = (text: string): string[] =>
  [...text.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);

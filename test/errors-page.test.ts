import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type GraphQLEnumType, isObjectType } from 'graphql';
import { describe, expect, test } from 'vitest';
import { credentials } from '../src/credentials/kinds.ts';
import { buildSchema } from '../src/graphql/schema.ts';
import { Unauthenticated, type UnauthenticatedReason } from '../src/refusals.ts';
import type { GeneralAnswers, Reply } from '../src/rest/dialect.ts';
import { gatewayAnswers } from '../src/rest/dialects/gateway.ts';
import { infisical } from '../src/rest/dialects/infisical.ts';
import { kaiten } from '../src/rest/dialects/kaiten.ts';
import { page, quoted, rows, section } from './markdown.ts';
import { root } from './processes.ts';

/** docs/errors.md says what is answered: each cell is held against the answers themselves. */

const errors = page('docs/errors.md');
const withRest = credentials.flatMap(({ graph, rest }) =>
  rest === undefined ? [] : [{ kind: graph.kind, dialect: rest.dialect }],
);
const dialects = [...new Set(withRest.map(({ dialect }) => dialect))];
const request = { id: 'req-00000000000000', method: 'PATCH', path: '/a/path' };

/** What a cell says: statuses, and the words that go with them. */
const said = (cell: string) => ({
  statuses: [...new Set(cell.match(/\b[45]\d\d\b/g))].sort(),
  words: quoted(cell).sort(),
});

/** The word by which programs tell a vendor's answers apart. */
function wordOf(body: string): string {
  const { code, error } = JSON.parse(body) as { code?: string | number; error?: string };
  return typeof code === 'string' ? code : (error ?? '');
}

const seen = (answers: readonly { status: number; body: string }[]) => ({
  statuses: [...new Set(answers.map(({ status }) => String(status)))].sort(),
  words: [...new Set(answers.map(({ body }) => wordOf(body)))].sort(),
});

/** The answers of a dialect that golden files hold for a refusal. */
function golden(dialect: string, code: string) {
  const name = code === 'INVALID_INPUT' ? 'malformed-id' : code.toLowerCase().replaceAll('_', '-');
  return withRest
    .filter((each) => each.dialect.name === dialect)
    .flatMap(({ kind }) =>
      readdirSync(join(root, 'test/golden', kind))
        .filter((file) => file.includes(name))
        .map((file) => {
          const [head = '', body = ''] = page(`test/golden/${kind}/${file}`).split('\n\n');
          return { status: Number(head.split(' ')[1]), body };
        }),
    );
}

const schema = buildSchema(credentials);

describe('refusals', () => {
  const table = rows(section(errors, '## Refusals'));

  test('every code is there, with its type', () => {
    const codes = (schema.getType('ErrorCode') as GraphQLEnumType).getValues();
    expect(table.map(([code = '']) => quoted(code)[0]).sort()).toEqual(
      codes.map(({ name }) => name).sort(),
    );
    for (const [code = '', type = ''] of table) {
      const named = schema.getType(quoted(type)[0] ?? '');
      expect([code, isObjectType(named)]).toEqual([code, true]);
      const camel = quoted(code)[0]?.replace(/_/g, '').toLowerCase();
      expect(quoted(type)[0]?.toLowerCase()).toBe(`${camel}error`);
    }
  });

  test.each(dialects.map(({ name }, i) => [name, i + 2] as const))('in %s', (dialect, i) => {
    for (const row of table) {
      const code = quoted(row[0] ?? '')[0] ?? '';
      expect([code, said(row[i] ?? '')]).toEqual([code, seen(golden(dialect, code))]);
    }
  });
});

describe('why a caller is not known', () => {
  const table = rows(section(errors, '## Why a caller is not known'));
  /** Closed: a new reason does not compile without being here. */
  const reasons: Record<UnauthenticatedReason, true> = {
    missing: true,
    scheme: true,
    empty: true,
    malformed: true,
    algorithm: true,
    signature: true,
    claims: true,
    expired: true,
    revoked: true,
    methodRevoked: true,
    ownerRevoked: true,
    cutOff: true,
    usedUp: true,
    wrongAddress: true,
    unknown: true,
  };

  test('every reason is there', () => {
    expect(table.map(([reason = '']) => quoted(reason)[0])).toEqual(Object.keys(reasons));
  });

  const textOf = ({ status, body }: Reply): string => {
    const { message, detail } = JSON.parse(body) as { message?: string; detail?: string };
    return `${status} \`${message ?? detail}\``;
  };

  test.each(table)('%s', (name = '', _when, asInfisical = '', ...asKaiten) => {
    const reason = quoted(name)[0] as UnauthenticatedReason;
    const refusals = [new Unauthenticated(reason, true), new Unauthenticated(reason, false)];
    const inInfisical = refusals.map((refusal) =>
      textOf(infisical.common.UNAUTHENTICATED(refusal, request, undefined)),
    );
    expect(asInfisical.split('; opaque: ')).toEqual([...new Set(inInfisical)]);
    const inKaiten = refusals.map((refusal) =>
      textOf(kaiten.common.UNAUTHENTICATED(refusal, request, undefined)),
    );
    expect(asKaiten).toEqual(inKaiten);
  });
});

describe('faults, and requests that reach no route', () => {
  const part = section(errors, '## Faults, and requests that reach no route');
  const table = rows(part);
  /** Which answer each row is about. Closed: a new one does not compile without a row. */
  const rowOf: Record<keyof GeneralAnswers, RegExp> = {
    malformedUrl: /not valid percent-encoding/,
    unknownPath: /Nothing is at the path/,
    methodNotAllowed: /method is wrong/,
    uriTooLong: /URL is longer/,
    badRequest: /cannot be read$/,
    fault: /A fault/,
    unavailable: /keys of a trusted issuer/,
    tooManyRequests: /Too much is asked/,
  };

  test('there is a row for each, and no other', () => {
    expect(table).toHaveLength(Object.keys(rowOf).length);
  });

  test.each(Object.entries(rowOf))('%s', (name, title) => {
    const answer = (general: GeneralAnswers) => general[name as keyof GeneralAnswers](request, 400);
    const row = table.find(([situation = '']) => title.test(situation)) ?? [];
    const inDialects = dialects.map(({ general }) => seen([answer(general)]));
    expect(row.slice(1, -1).map(said)).toEqual(inDialects);
    expect(row.at(-1)).toBe(String(answer(gatewayAnswers).status));
  });

  test.each(dialects)('paths that begin with $prefix are $name', ({ prefix, name }) => {
    expect(part).toContain(`\`${prefix}\` is ${name}`);
  });
});

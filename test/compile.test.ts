import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

/** What the compiler refuses, so that nobody has to remember it. */

const root = resolve(import.meta.dirname, '..');

/** What the compiler says of a program that stands beside the sixth kind. */
function compile(program: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'program.mts'), program.replaceAll('ROOT', root));
  const config = { extends: join(root, 'tsconfig.json'), include: ['program.mts'] };
  const compilerOptions = { typeRoots: [join(root, 'node_modules/@types')] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ ...config, compilerOptions }));
  try {
    execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder]);
    return '';
  } catch (error) {
    return String((error as { stdout: Buffer }).stdout);
  }
}

const route = (refused: string) => `
  import { kadosei, kadoseiError, kadoseiNotFound } from 'ROOT/src/rest/dialects/kadosei.ts';
  import { restRoute } from 'ROOT/src/rest/route.ts';
  import { deployToken } from 'ROOT/test/fixtures/deploy-token/kind.ts';
  const pinned = () => kadoseiError(409, 'Conflict', 'The deploy token is pinned');
  export const route = restRoute(deployToken, {
    dialect: kadosei,
    method: 'DELETE',
    paths: ['/x/:id'],
    params: { id: 'deployTokenId' },
    done: () => ({ status: 200, headers: {}, body: '' }),
    refused: { ${refused} },
    describe: { operationId: 'x', summary: 'x', example: {} },
  });
  export { kadoseiNotFound, pinned };
`;

const complete = `...kadosei.common, NOT_FOUND: kadoseiNotFound, ALREADY_REVOKED: kadoseiNotFound,
  DEPLOY_TOKEN_PINNED: pinned`;

test('a route that words every refusal of its kind compiles', () => {
  expect(compile(route(complete))).toBe('');
});

test.each(['NOT_FOUND', 'ALREADY_REVOKED', 'DEPLOY_TOKEN_PINNED'])(
  'a route that does not word %s does not compile',
  (code) => {
    const without = complete.replace(new RegExp(`${code}: \\w+,?`), '');
    expect(compile(route(without))).toContain(`Property '${code}' is missing`);
  },
);

test('a route whose readers are told nothing of it does not compile', () => {
  const told = route(complete);
  const untold = told.replace(/^ +describe: .+\n/m, '');
  expect(untold).not.toBe(told);
  expect(compile(untold)).toContain("Property 'describe' is missing");
});

test('a route that leaves out what its dialect has in common does not compile', () => {
  expect(compile(route(complete.replace('...kadosei.common,', '')))).toContain('INVALID_INPUT');
});

test('a kind that refuses what it does not name does not compile', () => {
  const said = compile(`
    import { deployToken } from 'ROOT/test/fixtures/deploy-token/kind.ts';
    import { JwkNotAssigned } from 'ROOT/src/credentials/jwk-assignment.ts';
    import { DeployTokenPinned } from 'ROOT/test/fixtures/deploy-token/kind.ts';
    import type { Kind } from 'ROOT/src/credentials/kind.ts';
    export const wrong: Kind<'deployTokenId', null, DeployTokenPinned> = {
      ...deployToken,
      locate: async () => ({ target: new JwkNotAssigned() }),
    };
  `);
  expect(said).toContain("Type 'JwkNotAssigned' is not assignable");
});

test('a change that refuses what it does not name does not compile', () => {
  const said = compile(`
    import { change } from 'ROOT/src/credentials/change.ts';
    import { NameTaken } from 'ROOT/src/refusals.ts';
    export const wrong = change<{ readonly id: string }>({
      kind: 'deploy-token',
      refusals: [],
      describe: ({ id }) => id,
      permissions: () => ['token:create'],
      make: async () => new NameTaken(),
    });
  `);
  expect(said).toContain("Property 'row' is missing in type 'NameTaken'");
});

test('an unknown dialect answer, such as one for a new way not to be known, does not compile', () => {
  const said = compile(`
    import type { GeneralAnswers } from 'ROOT/src/rest/dialect.ts';
    import { kadosei } from 'ROOT/src/rest/dialects/kadosei.ts';
    const { fault, ...others } = kadosei.general;
    export const wrong: GeneralAnswers = others;
    export { fault };
  `);
  expect(said).toContain("Property 'fault' is missing");
});

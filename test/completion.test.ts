import { existsSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { kinds, reasons } from '../src/commands/remote/vocabulary.ts';
import { credentials } from '../src/credentials/kinds.ts';
import { kindOf } from '../src/graphql/types.ts';
import { revocationReasons } from '../src/operation.ts';
import { gateway, launch, newFolder, settingsIn } from './processes.ts';

/** `gateway completion`: the shells that this machine has are asked what they complete. */

const onPath = (program: string) =>
  (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, program)));

const scriptFor = async (shell: string) => {
  const { code, stdout, stderr } = await gateway(settingsIn(newFolder()), 'completion', shell);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
};

test('kinds and reasons are those of the gateway', () => {
  expect(kinds.toSorted()).toEqual(credentials.map(({ graph }) => graph.kind).toSorted());
  expect(reasons).toEqual(revocationReasons.map(kindOf));
});

test.each(['bash', 'zsh', 'fish'])(
  '%s: the script has commands, options and kinds',
  async (shell) => {
    const script = await scriptFor(shell);
    const option = shell === 'fish' ? '-l token-file' : '--token-file';
    for (const word of [
      'revoke',
      'organization',
      'create',
      'archive',
      option,
      ...kinds,
      ...reasons,
    ]) {
      expect(script).toContain(word);
    }
  },
);

test('an unknown shell is refused', async () => {
  const { code, stderr } = await gateway(settingsIn(newFolder()), 'completion', 'tcsh');
  expect([code, stderr]).toEqual([1, expect.stringMatching(/Allowed choices are bash, zsh, fish/)]);
});

/** What a bash that has read the script completes behind a line that ends at the cursor. */
async function completed(line: string): Promise<string[]> {
  const file = join(newFolder(), 'script');
  writeFileSync(file, await scriptFor('bash'));
  const words = line.endsWith(' ') ? `${line}''` : line;
  const ask = `source '${file}'; COMP_WORDS=(${words}) COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
    _gateway; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = await launch('bash', ['-c', ask], settingsIn(newFolder())).ended;
  expect(stderr).toBe('');
  return stdout.split('\n').filter((word) => word !== '');
}

describe.each(['bash'].filter(onPath))('%s', () => {
  test.each<[string, readonly string[]]>([
    ['gateway rev', ['revoke']],
    ['gateway completion ', ['bash', 'zsh', 'fish']],
    ['gateway organization ', ['create']],
    ['gateway revoke ', kinds],
    ['gateway revoke jwk-', ['jwk-encryption', 'jwk-validation']],
    ['gateway revoke jwk ', []],
    ['gateway revoke --reason ', reasons],
    ['gateway revoke --reason superseded token', ['token-auth']],
    ['gateway revoke --comment revoke token', ['token-auth']],
    ['gateway revoke --file ', []],
    ['gateway revoke api-key --val', ['--value']],
    ['gateway organization create --j', ['--json']],
  ])('%s', async (line, expected) => {
    expect(await completed(line)).toEqual(expected);
  });
});

import { chmodSync, chownSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { examine } from './doctors.ts';
import { gatewayJson, newFolder, settingsIn } from './processes.ts';

/** What `gateway doctor` says of a secret key file of another user. */

test('a secret key that another lets our group read, as Kubernetes mounts it', async () => {
  const folder = newFolder();
  const env = settingsIn(folder);
  await gatewayJson(env, 'organization', 'create', 'acme');
  const file = join(folder, 'secret.key');
  const as = (uid: number, groups: readonly number[]) =>
    `--import data:text/javascript,process.getuid=()=>${uid};process.getgroups=()=>${JSON.stringify(groups)}`;
  const found = async ([owner, group, mode]: readonly number[], user = as(1000, [1000])) => {
    chownSync(file, owner ?? 0, group ?? 0);
    chmodSync(file, mode ?? 0);
    const { of } = await examine({ ...env, NODE_OPTIONS: user });
    return of('SECRET_KEY_FILE').map(({ status, what, remedy }) => [status, remedy ?? what]);
  };
  const well = [['ok', `${file}, for its owner and the group 1000 alone`]];
  const another = ['warning', 'run the gateway, and this, as the user that it belongs to'];
  const ofRoot = ['warning', 'make it belong to the user that the gateway runs as'];
  const mounted = `chmod 440 ${file}, or set defaultMode: 0440 where Kubernetes mounts it`;
  expect(await found([0, 1000, 0o440])).toEqual(well);
  expect(await found([0, 1000, 0o440], as(1000, [20, 1000]))).toEqual(well);
  expect(await found([1000, 0, 0o600], as(0, [0]))).toEqual([
    ['ok', `${file}, for its owner alone`],
  ]);
  expect(await found([0, 1000, 0o444])).toEqual([['problem', mounted]]);
  expect(await found([0, 1000, 0o460])).toEqual([['problem', mounted]]);
  expect(await found([7, 1000, 0o440])).toEqual([another]);
  const alone = ['problem', `chmod 600 ${file}`];
  expect(await found([0, 20, 0o440])).toEqual([alone, ofRoot]);
  expect(await found([1000, 1000, 0o440])).toEqual([alone]);
  expect(await found([0, 0, 0o440], as(0, [0]))).toEqual([alone]);
}, 60_000);

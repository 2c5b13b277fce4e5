import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { launch, newFolder, root, type Settings } from './processes.ts';

/** What the pages have readers paste into a shell. */

const onPath = (program: string) =>
  (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, program)));

/** Makes a `curl` that needs only Node. */
function withoutCurl(settings: Settings): Settings {
  const folder = newFolder();
  const script = join(folder, 'curl');
  const program = join(root, 'test/fixtures/curl.mjs');
  writeFileSync(script, `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`);
  chmodSync(script, 0o755);
  return { ...settings, PATH: `${folder}${delimiter}${settings.PATH}` };
}

/** With the machine's curl where it has one, and without in any case. */
export const ways: [string, (settings: Settings) => Settings][] = [
  ['without curl', withoutCurl],
  ...(onPath('curl')
    ? [['with curl', (settings) => settings] satisfies (typeof ways)[number]]
    : []),
];

/** A block as it stands but for the port. */
export const atUrl = (code: string, url: string): string =>
  code.replaceAll('http://localhost:8080', url);

/** Runs a block in a shell; says what it printed. */
export async function paste(code: string, url: string, settings: Settings): Promise<string> {
  const script = atUrl(code, url);
  const { code: status, stdout, stderr } = await launch('sh', ['-c', script], settings).ended;
  if (status !== 0) throw new Error(`${script}\nended with ${status}: ${stderr}`);
  return stdout;
}

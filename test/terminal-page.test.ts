import { chmodSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { clientSettingNames } from '../src/client-config.ts';
import { EXIT_NO } from '../src/commands/remote/exit-codes.ts';
import { blocks, column, page, quoted, rows, section } from './markdown.ts';
import { atUrl } from './pasting.ts';
import { launch, newFolder, root, serve, settingsIn } from './processes.ts';

/** docs/terminal.md: all that can be pasted is run, and prints what is printed there. */

const text = page('docs/terminal.md');

/** What differs each time, as the page has it. */
const alike = (printed: string) =>
  printed
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '2026-11-21T09:00:00.000Z')
    .replace(
      /"(id|revocationId|requestId)":"(?:01[0-9a-f]{6}-[0-9a-f-]{27}|req-[\w-]+)"/g,
      '"$1":"ID"',
    );

/** A folder to work in, and settings with the command `gateway`. */
function prepare() {
  const folder = newFolder();
  const program = join(folder, 'gateway');
  writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${root}/bin/gateway.mjs' "$@"\n`);
  chmodSync(program, 0o755);
  const settings = settingsIn(newFolder());
  return { folder, settings: { ...settings, PATH: `${folder}${delimiter}${settings.PATH}` } };
}

test('the examples print what the page says', async () => {
  const { folder, settings } = prepare();
  const { url } = await serve(settings, 'demo');
  const [setUp, ...examples] = blocks(text);
  const pasted = (code = '') => `exec 2>&1; ${atUrl(setUp?.code ?? '', url)}${code}`;
  const ran: string[] = [];
  for (const [i, { language, code }] of examples.entries()) {
    if (language !== 'sh') continue;
    const follows = code.includes('--follow');
    const { child, output, ended } = launch(
      ...(['sh', ['-c', pasted(follows ? `exec ${code}` : code)], settings, folder] as const),
    );
    if (follows) {
      await vi.waitUntil(() => output.stdout.endsWith('\n'), { timeout: 10_000 });
      child.kill('SIGINT');
    }
    const { code: status, stdout } = await ended;
    const next = examples[i + 1];
    const printed = next?.language === '' ? next.code : '';
    expect([code, alike(stdout)]).toEqual([code, printed]);
    expect([0, EXIT_NO]).toContain(status);
    ran.push(code);
  }
  for (const command of ['revoke', 'introspect', 'ledger', 'completion']) {
    expect(ran.join('\n')).toContain(`gateway ${command}`);
  }
}, 60_000);

test('the page has the exit codes, and the settings are on theirs', () => {
  const part = section(text, '## What they have in common');
  expect(rows(part).map(([code]) => code)).toEqual(
    expect.arrayContaining(['0', '1', `${EXIT_NO}`]),
  );
  const settings = section(page('docs/configuration.md'), '## Settings of the terminal');
  expect(column(settings, 0).flatMap(quoted)).toEqual([...clientSettingNames]);
});

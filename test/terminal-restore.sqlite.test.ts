import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { mint, printed } from './followers.ts';
import { openTerminal } from './terminal.ts';

/** A ledger that is followed, and is another one after a restart: a backup of the file was put back. */

test.each([
  ['shorter', 0],
  ['as long, and others', 3],
  ['longer', 5],
])(
  'a ledger that is %s is not taken for what was followed',
  async (_what, count) => {
    const t = await openTerminal();
    const file = join(t.folder, 'gateway.db');
    const backup = join(t.folder, 'backup.db');
    t.served.kill('SIGTERM');
    await t.served.ended;
    copyFileSync(file, backup);
    const served = await t.serveAgain();
    for (let i = 0; i < 3; i++) await mint(t);
    const follower = t.launch(['ledger', '--follow', '--json']);
    await printed(follower, 3);

    served.kill('SIGTERM');
    await served.ended;
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${file}${suffix}`, { force: true });
    copyFileSync(backup, file);
    for (let i = 0; i < count; i++) await mint(t);
    await t.serveAgain();
    const { code, stdout, stderr } = await follower.ended;
    expect(code).toBe(1);
    expect(stdout.trimEnd().split('\n')).toHaveLength(3);
    expect(stderr).toMatch(/Entry 3 is not in this ledger: it is another, or was restored/);
  },
  60_000,
);

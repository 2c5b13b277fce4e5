import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Installs the peers, where they are not there yet as the lock file has them. Nothing is compiled. */
export async function installPeers(progress: (text: string) => void): Promise<void> {
  const folder = import.meta.dirname;
  const lock = readFileSync(join(folder, 'package-lock.json'), 'utf8');
  // A copy of the lock that they were installed by.
  const stamp = join(folder, 'node_modules/.installed-lock.json');
  if (readIfThere(stamp) === lock) return;
  progress('installing the peers (npm ci in bench/)');
  const args = ['ci', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund'];
  // What npm says is progress too: standard output is for the results.
  const npm = spawn('npm', args, {
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  const [code] = await once(npm, 'close');
  if (code !== 0) throw new Error(`npm ci --prefix bench ended with ${code}`);
  writeFileSync(stamp, lock);
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

import { type Stats, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { readSecrets } from '../keys/secret-key.ts';
import { DISK_FREE_BYTES_MIN } from '../observability/disk.ts';
import { type Finding, ok, orOk, problem, warning } from './finding.ts';

/** Whether the secret key can be read, and by nobody else. Whether it fits, the database tells. */
export function checkSecretKeyFile(file: string): Finding[] {
  const check = 'SECRET_KEY_FILE';
  const stats = statOf(file);
  if (stats === undefined) {
    const remedy = 'restore it from your backup; the first start on an empty database makes one';
    return [problem(check, `There is no file ${file}`, remedy)];
  }
  const lent = isLent(stats);
  const wrong = wrongAccess(check, file, stats, lent ? 0o440 : 0o600);
  try {
    if (readSecrets(file).length > 1) {
      const what = `${file} has a secret key that is being replaced`;
      wrong.push(warning(check, what, 'run "gateway key reencrypt" again'));
    }
  } catch (error) {
    wrong.push(problem(check, ...sentences((error as Error).message)));
  }
  const whose =
    lent && (stats.mode & 0o040) !== 0 ? `its owner and the group ${stats.gid}` : 'its owner';
  return orOk(check, wrong, `${file}, for ${whose} alone`);
}

/** Whether it belongs to another, who may let a group of ours read it: so Kubernetes mounts a secret. */
const isLent = ({ uid, gid }: Stats): boolean =>
  uid !== process.getuid?.() &&
  [process.getegid?.(), ...(process.getgroups?.() ?? [])].includes(gid);

/** A message of ours says what is wrong, and behind a colon what to do. */
function sentences(message: string): [what: string, remedy: string] {
  const at = message.lastIndexOf(': ');
  return [message.slice(0, at), message.slice(at + 2).replace(/\.$/, '')];
}

/** Whether nobody but the gateway's user reads or replaces the files of an SQLite database. */
export function checkDatabaseFiles(file: string): Finding[] {
  const check = 'file permissions';
  const wrong = ['', '-wal', '-shm'].flatMap((suffix) => {
    const stats = statOf(file + suffix);
    return stats === undefined ? [] : wrongAccess(check, file + suffix, stats);
  });
  const folder = dirname(file);
  if (((statOf(folder)?.mode ?? 0) & 0o022) !== 0) {
    const what = `${folder} lets others replace the files of the database`;
    wrong.push(problem(check, what, `chmod go-w ${folder}`));
  }
  return orOk(check, wrong, 'for their owner alone');
}

/** By default for its owner alone; `allowed` is the mode that it may have at the most. */
function wrongAccess(check: string, file: string, stats: Stats, allowed = 0o600): Finding[] {
  const { mode, uid } = stats;
  const wrong: Finding[] = [];
  if ((mode & 0o077 & ~allowed) !== 0) {
    const what = `${file} can be used by others (mode ${(mode & 0o777).toString(8)})`;
    const mounted =
      allowed === 0o440 ? ', or set defaultMode: 0440 where Kubernetes mounts it' : '';
    wrong.push(problem(check, what, `chmod ${allowed.toString(8)} ${file}${mounted}`));
  }
  const own = process.getuid?.();
  const rootLends = uid === 0 && allowed === 0o440;
  if (own !== undefined && own !== 0 && uid !== own && !rootLends) {
    const what = `${file} belongs to another user (${uid})`;
    const remedy =
      uid === 0
        ? 'make it belong to the user that the gateway runs as'
        : 'run the gateway, and this, as the user that it belongs to';
    wrong.push(warning(check, what, remedy));
  }
  return wrong;
}

function statOf(file: string): Stats | undefined {
  return statSync(file, { throwIfNoEntry: false });
}

/** With less than so many times what the gateway itself finds too little, it is time to make room. */
const ROOM = 4;

/** Whether there is room for what is yet to come. */
export function checkDisk(file: string): Finding[] {
  const check = 'disk';
  const { bavail, bsize } = statfsSync(dirname(file));
  const free = bavail * bsize;
  const what = `${Math.floor(free / 2 ** 20).toLocaleString('en')} MiB are free for ${file}`;
  const remedy = 'make room on the disk of the database';
  if (free < DISK_FREE_BYTES_MIN) return [problem(check, what, remedy)];
  return [free < DISK_FREE_BYTES_MIN * ROOM ? warning(check, what, remedy) : ok(check, what)];
}

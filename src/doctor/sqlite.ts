import type Sqlite from 'better-sqlite3';
import { type Finding, ok, problem } from './finding.ts';

/** What only an SQLite file can have wrong with it. */
export function checkSqlite(db: Sqlite.Database, file: string): Finding[] {
  const version = db.prepare('select sqlite_version()').pluck().get();
  const pages = Number(db.pragma('page_count', { simple: true }));
  const bytes = pages * Number(db.pragma('page_size', { simple: true }));
  return [
    ok('database', `SQLite ${version}, ${file}, ${bytes.toLocaleString('en')} bytes`),
    checkJournal(db),
    checkIntegrity(db),
  ];
}

function checkJournal(db: Sqlite.Database): Finding {
  const check = 'durability';
  const mode = db.pragma('journal_mode', { simple: true });
  // How it commits each connection says for itself: the gateway's own wait for the disk.
  if (mode === 'wal') return ok(check, 'written ahead, and each commit waits for the disk');
  const what = `it is not written ahead (journal_mode = ${mode})`;
  return ok(check, `${what}: the next start of the gateway sees to that`);
}

function checkIntegrity(db: Sqlite.Database): Finding {
  const check = 'integrity';
  let found: unknown;
  try {
    found = db.pragma('quick_check(1)', { simple: true });
  } catch (error) {
    found = (error as Error).message;
  }
  if (found === 'ok') return ok(check, 'no page is damaged');
  const remedy =
    'stop the gateway, and restore the newest backup (gateway restore); docs/operations.md says more';
  return problem(check, `the file is damaged: ${found}`, remedy);
}

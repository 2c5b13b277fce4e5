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

/** Looks at one table after the other: for as long as one takes, the log of who serves cannot be taken up again. */
function damageIn(db: Sqlite.Database): unknown {
  try {
    const tables = db
      .prepare<[], string>("select name from sqlite_schema where type = 'table'")
      .pluck()
      .all();
    return tables
      .map((name) => db.pragma(`quick_check("${name}")`, { simple: true }))
      .find((found) => found !== 'ok');
  } catch (error) {
    return (error as Error).message;
  }
}

function checkIntegrity(db: Sqlite.Database): Finding {
  const check = 'integrity';
  const found = damageIn(db);
  if (found === undefined) return ok(check, 'no page of a table is damaged');
  const remedy =
    'stop the gateway, and restore the newest backup (gateway restore); docs/operations.md says more';
  return problem(check, `the file is damaged: ${found}`, remedy);
}

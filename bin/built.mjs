import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
/** What `dist/gateway` is made from. The package has none of it. */
const folders = ['src', 'db'];
const files = ['package-lock.json', 'vite.config.ts'];

const changedAt = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;

/** A folder, since it changes when a file of it goes, and what is in it. */
function within(folder) {
  const path = join(root, folder);
  if (changedAt(path) === 0) return [];
  return [path, ...readdirSync(path, { recursive: true }).map((name) => join(path, name))];
}

/**
 * Whether what was built is there and as new as its sources: it starts in half the time. After a source
 * has changed, the sources run until the next `npm run build`.
 */
export function isBuilt() {
  const builtAt = changedAt(join(root, 'dist/gateway/main.js'));
  if (builtAt === 0) return false;
  const sources = [...folders.flatMap(within), ...files.map((name) => join(root, name))];
  return sources.every((path) => changedAt(path) <= builtAt);
}

import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type StaticFile, staticFile } from './static-file.ts';

/** What every file of the page says of itself. */
export const fileHeaders = { 'x-content-type-options': 'nosniff' };

/** The page loads nothing but what the gateway serves, and no script that is written in it. */
export const pageHeaders = {
  ...fileHeaders,
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'referrer-policy': 'no-referrer',
};

const SCRIPT = 'text/javascript; charset=utf-8';

/** The files of the page by their names, and their types; `page-script.js` alone is ours. */
const types: Readonly<Record<string, string>> = {
  'page-script.js': SCRIPT,
  'swagger-ui-bundle.js': SCRIPT,
  'swagger-ui.css': 'text/css; charset=utf-8',
};

/** Where a file of the page lies: beside what is built, and otherwise where it comes from. */
function folderOf(name: string): string {
  if (!import.meta.filename.endsWith('.ts')) return join(import.meta.dirname, 'page');
  return name === 'page-script.js'
    ? import.meta.dirname
    : dirname(fileURLToPath(import.meta.resolve('swagger-ui-dist/package.json')));
}

/** A file of the page; undefined where it has none of this name. */
export async function pageFile(name: string): Promise<StaticFile | undefined> {
  const type = Object.hasOwn(types, name) ? types[name] : undefined;
  if (type === undefined) return undefined;
  return staticFile(type, await readFile(join(folderOf(name), name), 'utf8'), fileHeaders);
}

/** The page; a token that it is given, it asks with. */
export const page = (token: string | undefined): StaticFile =>
  staticFile(
    'text/html; charset=utf-8',
    `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Revocation gateway</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="api/swagger-ui.css">
    <script defer src="api/swagger-ui-bundle.js"></script>
    <script type="module" src="api/page-script.js"></script>
  </head>
  <body${token === undefined ? '' : ` data-token="${token.replace(/[^\w.-]/g, '')}"`}>
    <div id="api"></div>
  </body>
</html>
`,
    pageHeaders,
  );

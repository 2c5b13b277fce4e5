#!/usr/bin/env node
// Plain JavaScript that any Node reads: an old one is told what to do, and loads nothing else.
const needed = 24;
const major = Number(process.versions.node.split('.')[0]);

async function run() {
  const { enableCompileCache } = await import('node:module');
  enableCompileCache();
  const built = await import('./built.mjs').then(({ isBuilt }) => isBuilt());
  const { main } = await import(built ? '../dist/gateway/main.js' : '../src/main.ts');
  await main(process.argv);
}

if (major < needed) {
  const remedy = import.meta.url.includes('/node_modules/')
    ? `install one, or npm install node@${needed} in this folder, which npx then uses.`
    : 'run it through npm (npm start, or npm run gateway -- COMMAND), which uses the Node.js that npm ci installs.';
  process.stderr.write(
    `The revocation gateway needs Node.js ${needed} or newer and this is ${process.version}: ${remedy}\n`,
  );
  process.exitCode = 1;
} else {
  // Not awaited: Node.js before 14.8 does not read an await outside a function.
  void run();
}

import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const swagger = dirname(fileURLToPath(import.meta.resolve('swagger-ui-dist/package.json')));

/** What browsers load at `/docs/api`; `src/openapi/page.ts` finds it beside the code. */
const page = [
  ...['LICENSE', 'NOTICE', 'swagger-ui.css', 'swagger-ui-bundle.js'].map((name) =>
    join(swagger, name),
  ),
  'src/openapi/page-script.js',
];

/** `npm run build`: the gateway and what it is made from as few files, since a start reads each of them. */
export default defineConfig({
  ssr: {
    noExternal: true,
    // Compiled for the machine; for PostgreSQL alone; and nine megabytes that only development has.
    external: ['better-sqlite3', 'pg', '@graphql-yoga/render-graphiql'],
    // What Node itself would load: graphql must not be there twice.
    resolve: { conditions: ['node'] },
  },
  build: {
    ssr: 'src/main.ts',
    outDir: 'dist/gateway',
    target: 'node24',
    license: { fileName: 'licenses.md' },
    chunkSizeWarningLimit: 2_000,
    rolldownOptions: {
      output: { chunkFileNames: '[name]-[hash].js' },
      // Where each module lay on this machine is nobody's business.
      experimental: { attachDebugInfo: 'none' },
    },
  },
  plugins: [
    {
      name: 'page',
      generateBundle() {
        for (const file of page) {
          const fileName = `page/${basename(file)}`;
          this.emitFile({ type: 'asset', fileName, source: readFileSync(file) });
        }
      },
    },
  ],
});

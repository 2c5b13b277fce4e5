import { readFileSync } from 'node:fs';
import { validate } from '@readme/openapi-parser';
import { describe, expect, test } from 'vitest';
import { permissions } from '../src/permissions.ts';
import { withSixth } from './kinds.ts';
import {
  compilerOf,
  describeAll,
  type OpenapiDocument,
  placesIn,
  responseIn,
  routesOf,
} from './openapi.ts';
import { root } from './processes.ts';

/** What the OpenAPI document promises, whatever routes it is made of. */

test('openapi.json is the document that is served', async () => {
  const printed = `${JSON.stringify(describeAll(), null, 2)}\n`;
  await expect(printed).toMatchFileSnapshot('../openapi.json');
});

const documents: [what: string, document: OpenapiDocument][] = [
  ['the routes of the project', describeAll()],
  ['a sixth kind beside them', describeAll({ routes: routesOf(withSixth) })],
  ['production', describeAll({ profile: 'production' })],
  ['an issuer with a path', describeAll({ publicUrl: 'https://a.example/b/c' })],
];

for (const [what, document] of documents) {
  describe(`with ${what}`, () => {
    const places = placesIn(document);
    const compile = compilerOf(document);

    test('it is valid OpenAPI', async () => {
      expect(document.openapi).toMatch(/^3\.1\./);
      const options = { resolve: { external: false } };
      const result = await validate(structuredClone(document) as never, options);
      expect(result).toEqual({ valid: true, warnings: [], specification: 'OpenAPI' });
    });

    test('every schema is one, and every example fits it', () => {
      const wrong: string[] = [];
      const check = (where: string, schema: object, value: unknown) => {
        const misfit = compile(schema)(value);
        if (misfit !== '') wrong.push(`${where} ${misfit}`);
      };
      for (const schema of Object.values(document.components.schemas ?? {})) compile(schema);
      for (const at of places) {
        for (const { name, schema, example } of at.parameters ?? []) {
          if (example === undefined) compile(schema);
          else check(`${at.operationId} ${name}`, schema, example);
        }
        for (const { schema, example } of Object.values(at.requestBody?.content ?? {})) {
          check(`${at.operationId} body`, schema, example);
        }
        for (const status of Object.keys(at.responses).map(Number)) {
          const { content = {} } = responseIn(document, at, status) ?? {};
          for (const { schema, examples } of Object.values(content)) {
            expect(Object.keys(examples).length).toBeGreaterThan(0);
            for (const [name, { value }] of Object.entries(examples)) {
              check(`${at.operationId} ${status} ${name}`, schema, value);
            }
          }
        }
      }
      expect(wrong).toEqual([]);
    });

    test('everything has a description, and each operation a name of its own', () => {
      const ids = places.map(({ operationId }) => operationId);
      expect(new Set(ids).size).toBe(ids.length);
      expect(ids.filter((id) => !/^[a-z][A-Za-z]+$/.test(id))).toEqual([]);
      const undescribed = places.flatMap((at) => [
        ...(at.summary ? [] : [at.operationId]),
        ...(at.parameters ?? []).filter(({ description }) => !description).map(({ name }) => name),
        ...Object.keys(at.responses).filter(
          (status) => !responseIn(document, at, Number(status))?.description,
        ),
      ]);
      expect(undescribed).toEqual([]);
    });

    test('it uses all that it has, and has all that it uses', () => {
      const tags = document.tags.map(({ name }) => name);
      expect(new Set(places.flatMap((at) => at.tags))).toEqual(new Set(tags));
      const schemes = places.flatMap((at) => at.security.flatMap((each) => Object.keys(each)));
      expect(new Set(schemes)).toEqual(
        new Set(Object.keys(document.components.securitySchemes ?? {})),
      );
      const needed = places.flatMap((at) =>
        at.security.flatMap((each) => Object.values(each).flat()),
      );
      expect(needed.filter((each) => !(permissions as readonly string[]).includes(each))).toEqual(
        [],
      );
      const text = JSON.stringify(document);
      for (const part of ['headers', 'responses'] as const) {
        const unused = Object.keys(document.components[part] ?? {}).filter(
          (name) => !text.includes(`#/components/${part}/${name}"`),
        );
        expect(unused).toEqual([]);
      }
    });
  });
}

test('a route that is added is there, with the refusal that only it gives', () => {
  const find = (document: OpenapiDocument) =>
    placesIn(document).find(({ operationId }) => operationId === 'revokeDeployToken');
  expect(find(describeAll())).toBeUndefined();
  const document = describeAll({ routes: routesOf(withSixth) });
  const added = find(document);
  expect(added).toMatchObject({
    ...{ method: 'DELETE', path: '/api/v1/applications/deploy-tokens/{id}', tags: ['Kadosei'] },
    security: [{ bearer: ['token:revoke'] }],
    parameters: [{ name: 'id', in: 'path', description: 'The id of the deploy token.' }],
  });
  const pinned = added && responseIn(document, added, 409);
  expect(pinned?.description).toBe('The deploy token is pinned.');
  expect(JSON.stringify(pinned)).toContain('"The deploy token is pinned"');
});

test('it is of this version, and names where the gateway is', () => {
  const { version } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'));
  expect(describeAll().info.version).toBe(version);
  const publicUrl = 'https://a.example/b/c';
  const { servers, paths } = describeAll({ publicUrl });
  expect(servers.map(({ url }) => url)).toEqual([publicUrl]);
  // What lies outside the path of the issuer says so.
  expect(paths['/.well-known/oauth-authorization-server/b/c']).toMatchObject({
    servers: [{ url: 'https://a.example' }],
  });
});

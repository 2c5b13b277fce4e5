import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { settingNames } from '../src/config.ts';
import { openGateway } from './harness.ts';
import { root } from './processes.ts';

/** The files in deploy/ set what there is to set, and ask where there is something to ask. */

const file = (name: string) => readFileSync(join(root, 'deploy', name), 'utf8');
const ofNode = ['PATH', 'NODE_OPTIONS'];

test.each([
  ['revocation-gateway.service', /^Environment=(\w+)=/gm],
  ['Containerfile', /^(?:ENV|\s+)\s*([A-Z_]+)=/gm],
  ['kubernetes.yaml', /name: ([A-Z_]+),?$|name: ([A-Z_]+), value/gm],
])('%s sets nothing that is no setting', (name, pattern) => {
  const named = [...file(name).matchAll(pattern)].map(([, one, other]) => one ?? other);
  expect(named.length).toBeGreaterThan(3);
  expect(named.filter((each) => ![...settingNames, ...ofNode].includes(each ?? ''))).toEqual([]);
});

interface Probe {
  readonly httpGet: { readonly path: string };
}

test('the probes are answered', async () => {
  const [deployment] = parseAllDocuments(file('kubernetes.yaml')).map((each) => each.toJS());
  const { spec } = deployment.spec.template;
  const [{ startupProbe, readinessProbe, livenessProbe }] = spec.containers as Record<
    'startupProbe' | 'readinessProbe' | 'livenessProbe',
    Probe
  >[] as [Record<string, Probe>];
  const h = await openGateway();
  for (const probe of [startupProbe, readinessProbe, livenessProbe]) {
    const { status } = await h.rest('GET', probe?.httpGet.path ?? '');
    expect([probe?.httpGet.path, status]).toEqual([probe?.httpGet.path, 200]);
  }
  expect(spec.terminationGracePeriodSeconds).toBeGreaterThan(30);
});

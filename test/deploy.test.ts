import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { settingNames } from '../src/config.ts';
import { past } from './engine.ts';
import { openGateway } from './harness.ts';
import { blocks, page, section } from './markdown.ts';
import { gateway, gatewayJson, newFolder, root, settingsIn } from './processes.ts';

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

interface Named {
  readonly name: string;
}

interface Rule {
  readonly ports: readonly { readonly port: string }[];
  readonly from?: unknown;
}

const documents = parseAllDocuments(file('kubernetes.yaml')).map((each) => each.toJS());
const named = (kind: string, name = 'revocation-gateway') =>
  documents.find((each) => each.kind === kind && each.metadata.name === name);
const { spec: deployment } = named('Deployment');
const { spec: pod } = deployment.template;
const [container] = pod.containers;

test('the probes are answered', async () => {
  const h = await openGateway();
  for (const name of ['startupProbe', 'readinessProbe', 'livenessProbe']) {
    const { status } = await h.rest('GET', container[name].httpGet.path);
    expect([name, status]).toEqual([name, 200]);
  }
});

test('a gateway is left out of the service before it stops, and has 30 s then', () => {
  const { seconds } = container.lifecycle.preStop.sleep;
  expect(seconds).toBeGreaterThanOrEqual(5);
  expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(30 + seconds);
  const [, stop] = /^TimeoutStopSec=(\d+)$/m.exec(file('revocation-gateway.service')) ?? [];
  expect(Number(stop)).toBeGreaterThan(30);
});

test('older gateways stop before the first newer one starts, since none starts on its schema', async () => {
  expect(deployment.strategy).toEqual({ type: 'Recreate' });
  const folder = newFolder();
  const env = settingsIn(folder);
  await gatewayJson(env, 'organization', 'create', 'acme');
  const other = await past(folder);
  await other.all("insert into kysely_migration (name, timestamp) values ('9999_later', 'now')");
  const started = await gateway(env, 'serve');
  // The next test may have this database.
  await other.all("delete from kysely_migration where name = '9999_later'");
  expect(started).toMatchObject({ code: 1, stdout: '' });
  expect(started.stderr).toMatch(/9999_later.* run the newest version on it\.\n$/);
});

test('everybody reaches the service, and one namespace the metrics', () => {
  const { spec: policy } = named('NetworkPolicy');
  expect(policy.podSelector).toEqual(deployment.selector);
  expect(policy.policyTypes).toEqual(['Ingress']);
  const rules: Rule[] = policy.ingress;
  expect(rules.map(({ ports, from }) => [ports.map(({ port }) => port), from])).toEqual([
    [['http'], undefined],
    [
      ['metrics'],
      [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } }],
    ],
  ]);
  const ports: Named[] = container.ports;
  expect(ports.map(({ name }) => name)).toEqual(['http', 'metrics']);
});

test('Prometheus finds each gateway, under the name that the alerts go by', () => {
  const { spec } = named('Service', 'revocation-gateway-metrics');
  expect(spec).toMatchObject({ clusterIP: 'None', publishNotReadyAddresses: true });
  expect(spec.selector).toEqual(deployment.selector.matchLabels);
  const { value: port } = container.env.find(({ name }: Named) => name === 'METRICS_PORT');
  const [, metrics] = container.ports;
  expect(metrics.containerPort).toBe(Number(port));
  expect(spec.ports).toEqual([{ name: 'metrics', port: Number(port), targetPort: 'metrics' }]);

  const configs = blocks(section(page('docs/operations.md'), '## Metrics'))
    .filter(({ language }) => language === 'yaml')
    .map(({ code }) => parse(code).scrape_configs[0]);
  const jobs = [...file('prometheus-alerts.yml').matchAll(/job="([^"]+)"/g)].map(([, job]) => job);
  expect(new Set(configs.map(({ job_name }) => job_name))).toEqual(new Set(jobs));
  expect(configs).toHaveLength(2);
  const [found] = configs.at(-1).dns_sd_configs;
  expect(found.names[0]).toMatch(/^revocation-gateway-metrics\.\w+\.svc\.cluster\.local$/);
  expect([found.type, found.port]).toEqual(['A', Number(port)]);
});

test('systemd tries again, however often a start has failed', () => {
  const [, unit = ''] = /^\[Unit\]\n(.*?)^\[/ms.exec(file('revocation-gateway.service')) ?? [];
  expect(unit).toMatch(/^StartLimitIntervalSec=0$/m);
  expect(file('revocation-gateway.service')).toMatch(/^Restart=always$/m);
});

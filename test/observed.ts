import { expect, onTestFinished } from 'vitest';
import { readConfig } from '../src/config.ts';
import { createObservability } from '../src/observability/observability.ts';
import { listenOn } from './feed-client.ts';
import type { Harness, HarnessOptions } from './harness.ts';
import { openReaching } from './targets.ts';

/** A gateway that listens and is observed, and what Prometheus reads of it. */

/** One line of what is read. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Everything that was read at one moment. */
export interface Scrape {
  readonly text: string;
  readonly samples: readonly Sample[];
  /** The sum of the samples of this name that have these labels. */
  sum(name: string, labels?: Record<string, string>): number;
}

export interface Observed {
  readonly h: Harness;
  /** Lets go of what observes it, once that has told all. */
  readonly flush: () => Promise<boolean>;
  readonly url: string;
  readonly metricsUrl: string;
  readonly scrape: () => Promise<Scrape>;
}

export async function openObserved(options: HarnessOptions = {}): Promise<Observed> {
  const observability = createObservability({
    ...readConfig({}),
    metricsPort: 0,
    ...options.config,
  });
  const h = await openReaching({ ...options, observe: observability.observe });
  const metricsUrl = (await observability.listen(h.running.gateway)) ?? '';
  let flushed: Promise<boolean> | undefined;
  const flush = () => {
    flushed ??= observability.close();
    return flushed;
  };
  onTestFinished(async () => void (await flush()));
  return { h, flush, url: await listenOn(h), metricsUrl, scrape: () => scrape(metricsUrl) };
}

/** Reads metrics as Prometheus does, and holds them against its text format. */
export async function scrape(url: string): Promise<Scrape> {
  const response = await fetch(url);
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  const text = await response.text();
  const samples = text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map(readSample);
  return {
    text,
    samples,
    sum: (name, labels = {}) =>
      samples
        .filter((sample) => sample.name === name)
        .filter((sample) => Object.entries(labels).every(([k, v]) => sample.labels[k] === v))
        .reduce((sum, { value }) => sum + value, 0),
  };
}

function readSample(line: string): Sample {
  const [, name = '', labels = '', value = ''] =
    /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
  if (name === '') throw new Error(`No sample: ${line}`);
  const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"(?:,|$)/g)];
  const read = pairs.map(([, key = '', text = '']) => [key, text] as const);
  return { name, labels: Object.fromEntries(read), value: Number(value) };
}

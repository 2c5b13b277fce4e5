import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace';
import type { Config } from '../config.ts';

/** The settings that say so. */
export type SamplerOptions = Pick<Config, 'otelTracesSampler' | 'otelTracesSamplerArg'>;

/** Which traces are kept: with `parentbased_` the caller's word counts, where a request comes with one. */
export function createSampler({
  otelTracesSampler,
  otelTracesSamplerArg,
}: SamplerOptions): Sampler {
  const root = rootOf(otelTracesSampler.replace('parentbased_', ''), otelTracesSamplerArg);
  return otelTracesSampler.startsWith('parentbased_') ? new ParentBasedSampler({ root }) : root;
}

function rootOf(name: string, ratio: number): Sampler {
  if (name === 'always_off') return new AlwaysOffSampler();
  return name === 'traceidratio' ? new TraceIdRatioBasedSampler(ratio) : new AlwaysOnSampler();
}

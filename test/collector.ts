import { expect } from 'vitest';
import { type Loopback, listen } from './loopback.ts';

/** A collector of OpenTelemetry, as far as it takes spans as JSON (OTLP/HTTP). */

export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status: { readonly code?: number; readonly message?: string };
  readonly attributes: Readonly<Record<string, unknown>>;
}

export interface Collector extends Loopback {
  spans(): Span[];
  /** The only span of this name. */
  span(name: string): Span;
  /** What the resource says of whoever sent the first spans. */
  resource(): Record<string, unknown>;
}

interface Attribute {
  readonly key: string;
  readonly value: Record<string, unknown>;
}

interface Exported {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly {
      readonly spans: readonly (Omit<Span, 'attributes'> & { attributes: readonly Attribute[] })[];
    }[];
  }[];
}

export async function collect(): Promise<Collector> {
  const server = await listen((response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  const exported = () =>
    server.received.flatMap(({ body }) => (JSON.parse(body) as Exported).resourceSpans);
  const spans = () =>
    exported()
      .flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans))
      .map((span) => ({ ...span, attributes: valuesOf(span.attributes) }));
  return {
    ...server,
    spans,
    span(name) {
      const found = spans().filter((span) => span.name === name);
      expect([name, found.length]).toEqual([name, 1]);
      return found[0] as Span;
    },
    resource: () => valuesOf(exported()[0]?.resource.attributes ?? []),
  };
}

const valuesOf = (attributes: readonly Attribute[]) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));

import {
  type Context,
  type SpanContext,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import type { Call } from '../operation.ts';
import { Refusal } from '../refusals.ts';
import type { Committed, OperationTrace, Traces } from './traces.ts';

interface Parts {
  readonly tracer: Tracer;
  readonly parent: Context;
  /** Told which entry of the ledger came of it. */
  readonly remember: (entryId: string, context: SpanContext) => void;
}

/** The span of an operation, with those of its transaction and of the commit that it shares with others. */
export function traceOperation(
  { tracer, parent, remember }: Parts,
  { action, kind }: Parameters<Traces['operation']>[0],
  call: Call,
): OperationTrace {
  const clock = startClock();
  const span = tracer.startSpan(
    `${action} ${kind}`,
    {
      startTime: clock(),
      attributes: {
        'gateway.action': action,
        'gateway.kind': kind,
        'gateway.surface': call.surface,
        'gateway.request_id': call.requestId,
      },
    },
    parent,
  );
  const inside = trace.setSpan(parent, span);
  let begunMs = 0;
  let decidedMs = 0;
  let tries = 0;

  const child = (name: string, startTime: number, endTime: number) =>
    tracer.startSpan(name, { startTime }, inside).end(endTime);

  function succeeded({ results, owed }: Committed): void {
    const entries = results.flatMap((result) => (result instanceof Refusal ? [] : [result]));
    if (owed.length > 0) for (const { id } of entries) remember(id, span.spanContext());
    const [first] = results;
    if (results.length > 1) {
      const counts = { 'gateway.attempts': results.length, 'gateway.done': entries.length };
      span.setAttributes(counts);
    } else if (first instanceof Refusal) {
      span.setAttributes({ 'gateway.outcome': 'refused', 'gateway.refusal': first.code });
    } else if (first !== undefined) {
      span.setAttributes({ 'gateway.outcome': 'done', 'gateway.entry_id': first.id });
    }
  }

  return {
    begun() {
      begunMs = clock();
      decidedMs = 0;
      tries++;
    },
    decided() {
      decidedMs = clock();
    },
    endsWith(committed) {
      committed
        .then(succeeded, ({ name }: Error) =>
          span.setStatus({ code: SpanStatusCode.ERROR, message: name }),
        )
        .then(() => {
          const endMs = clock();
          if (tries > 1) span.setAttribute('gateway.tries', tries);
          if (decidedMs > 0) {
            child('transaction', begunMs, decidedMs);
            child('commit', decidedMs, endMs);
          }
          span.end(endMs);
        })
        .catch(() => undefined);
    },
  };
}

/** The time of day, by a clock that does not go back: the parts of an operation lie within it. */
function startClock(): () => number {
  const [startMs, startedAt] = [Date.now(), performance.now()];
  return () => startMs + performance.now() - startedAt;
}

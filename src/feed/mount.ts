import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Gateway } from '../gateway.ts';
import { Refusal, Unauthenticated } from '../refusals.ts';
import { logOf } from '../request-log.ts';
import { challenge, type Reply } from '../rest/dialect.ts';
import { gatewayAnswers, problem } from '../rest/dialects/gateway.ts';
import { forgetContentType, mountOtherMethods, send } from '../rest/mount.ts';
import { toRestRequest } from '../rest/route.ts';
import { acknowledge } from './acknowledge.ts';
import { type EventStream, openEventStream } from './event-stream.ts';
import { follow } from './follow.ts';
import { type Place, readPlace } from './place.ts';
import { authenticatePoint, type Point } from './point.ts';
import { createTold, type Told } from './told.ts';

/** The longest body of an acknowledgement, in bytes; beyond it the answer is 413. */
export const ACKNOWLEDGEMENT_BYTES_MAX = 1024;

/** Streams of one point; one more ends the oldest, which may be that of a client that is gone. */
export const FEED_STREAMS_MAX = 10;

const feedPath = '/feed';
const acknowledgementPath = '/feed/acknowledgement';

/** What is known of a point while it follows. */
interface Followed {
  readonly streams: Set<EventStream>;
  readonly told: Told;
}

/** Mounts the feed, by which enforcement points learn what has ended, and say that they have. */
export function mountFeed(app: FastifyInstance, gateway: Gateway): void {
  const followed = new Map<string, Followed>();

  app.get(feedPath, { exposeHeadRoute: false }, async (request, reply) => {
    const point = await authenticatePoint(gateway, request);
    if (point instanceof Refusal) return send(reply, refused(request, point));
    request.actor = point;
    const after = positionOf(request);
    if (after instanceof Error) return send(reply, bad(request, after.message));
    await stream(request, reply, point, after);
    return reply;
  });

  async function stream(
    request: FastifyRequest,
    reply: FastifyReply,
    point: Point,
    after: Place | undefined,
  ): Promise<void> {
    const { credentialId } = point;
    const log = logOf(request);
    const of = followed.get(credentialId) ?? { streams: new Set(), told: createTold() };
    followed.set(credentialId, of);
    const [oldest] = of.streams;
    if (oldest !== undefined && of.streams.size >= FEED_STREAMS_MAX) {
      of.streams.delete(oldest);
      oldest.cut();
    }
    const events = openEventStream(reply);
    of.streams.add(events);
    try {
      const over = await follow(gateway, { point, after, stream: events, told: of.told });
      log.info({ point: credentialId, over }, 'feed ended');
      if (over === 'stalled') events.cut();
    } catch (fault) {
      // The client comes back, and is told where it was.
      log.error({ err: fault, point: credentialId }, 'feed failed');
    } finally {
      events.end();
      of.streams.delete(events);
      if (of.streams.size === 0 && followed.get(credentialId) === of) followed.delete(credentialId);
    }
  }

  app.register((scope, _options, done) => {
    // Who asks comes before what they say: the text is read as JSON, whatever its type.
    scope.removeAllContentTypeParsers();
    const limits = { parseAs: 'string', bodyLimit: ACKNOWLEDGEMENT_BYTES_MAX } as const;
    scope.addContentTypeParser('*', limits, (_request, text, read) => read(null, text));
    scope.addHook('onRequest', forgetContentType);
    scope.post(acknowledgementPath, async (request, reply) => {
      const point = await authenticatePoint(gateway, request);
      if (point instanceof Refusal) return send(reply, refused(request, point));
      request.actor = point;
      const seq = readSeq(request.body);
      if (seq === undefined || seq > (await gateway.tail.position())) {
        return send(reply, bad(request, 'seq must be the number of an entry of the ledger.'));
      }
      const { told } = followed.get(point.credentialId) ?? {};
      await acknowledge(gateway, point.credentialId, seq, told?.moments() ?? []);
      told?.acknowledged(seq);
      return reply.code(204).header('cache-control', 'no-store').send();
    });
    done();
  });
  mountOtherMethods(app, feedPath, ['GET'], gatewayAnswers);
  mountOtherMethods(app, acknowledgementPath, ['POST'], gatewayAnswers);
}

function refused(request: FastifyRequest, refusal: Refusal): Reply {
  request.refusal = refusal;
  const known = !(refusal instanceof Unauthenticated);
  const answer = problem(toRestRequest(request), known ? 403 : 401, refusal.message);
  return { ...answer, headers: { ...answer.headers, ...unkept, ...(!known && challenge) } };
}

function bad(request: FastifyRequest, detail: string): Reply {
  const answer = problem(toRestRequest(request), 400, detail);
  return { ...answer, headers: { ...answer.headers, ...unkept } };
}

const unkept = { 'cache-control': 'no-store' };

/** Where a client was: the header of those that resume, or the query of those that choose. */
function positionOf({ headers, query }: FastifyRequest): Place | undefined | Error {
  const header = headers['last-event-id'];
  const name = header === undefined ? 'after' : 'Last-Event-ID';
  const said = header ?? (query as Record<string, unknown>).after;
  if (said === undefined || said === '') return undefined;
  return (
    readPlace(String(said)) ?? new Error(`${name} must be the number of an entry of the ledger.`)
  );
}

function readSeq(body: unknown): number | undefined {
  try {
    const { seq } = JSON.parse(String(body)) as { seq?: unknown };
    return Number.isSafeInteger(seq) && (seq as number) >= 0 ? (seq as number) : undefined;
  } catch {
    return undefined;
  }
}

import type { GeneralAnswers } from '../rest/dialect.ts';
import type { JsonSchema } from '../rest/json-schema.ts';
import { URL_BYTES_MAX } from '../rest/mount.ts';
import { RETRY_AFTER_S } from '../unavailable.ts';
import { type Answer, requestTo } from './operation.ts';

/** What matters for the answers that an operation gives whatever it does. */
export interface GeneralOptions {
  readonly method: string;
  /** As OpenAPI writes it. */
  readonly path: string;
  /** The same as a request has it, where that is not the same. */
  readonly asked?: string;
  readonly words: GeneralAnswers;
  /** Paths that begin so have the words. */
  readonly prefix: string;
  readonly schema: JsonSchema;
  /** The longest body that is read; undefined: none is. */
  readonly bodyBytesMax?: number | undefined;
  /** `false` where it is not counted how much is asked. */
  readonly limited?: boolean;
  /** `false` where nothing can fail: it works without the database. */
  readonly fails?: boolean;
}

/** The answers that an operation gives whatever it does. */
export function generalAnswers(options: GeneralOptions): Answer[] {
  const { method, path, asked = path, words, prefix, schema, bodyBytesMax } = options;
  const { limited = true, fails = true } = options;
  const answer = (name: string, what: string, reply: Answer['reply']): Answer => ({
    ...{ name, what, reply, schema },
  });
  const request = requestTo(method, asked);
  const malformed = requestTo(method, path.replace(/\{\w+\}/g, '%25zz'));
  const later = (reply: Answer['reply']): Answer['reply'] => ({
    ...reply,
    headers: { ...reply.headers, 'retry-after': String(RETRY_AFTER_S) },
  });
  return [
    ...(path.includes('{')
      ? [
          answer(
            'malformed-url',
            'The path is not valid percent-encoding.',
            words.malformedUrl(malformed),
          ),
        ]
      : []),
    ...(bodyBytesMax === undefined
      ? []
      : [
          answer(
            'body-too-long',
            `The body is longer than ${bodyBytesMax} bytes.`,
            words.badRequest(request, 413),
          ),
        ]),
    answer(
      'uri-too-long',
      `The URL is longer than ${URL_BYTES_MAX} bytes.`,
      words.uriTooLong({ ...request, path: prefix }),
    ),
    ...(limited
      ? [
          answer(
            'too-many-requests',
            'More is asked than RATE_LIMITS allow.',
            later(words.tooManyRequests(request, RETRY_AFTER_S)),
          ),
        ]
      : []),
    ...(fails
      ? [
          answer('fault', 'A fault: the log has it under the request id.', words.fault(request)),
          answer(
            'unavailable',
            'The gateway cannot do it for now.',
            later(words.unavailable(request)),
          ),
        ]
      : []),
  ];
}

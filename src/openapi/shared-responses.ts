import type { Operation } from './operation.ts';
import { type Response, responsesOf } from './responses.ts';

type Reference = { readonly $ref: string };

/** The responses of every operation: those that several operations of a tag share are said once. */
export interface SharedResponses {
  readonly components: Record<string, Response>;
  of(operation: Operation): Record<string, Response | Reference>;
}

export function sharedResponsesOf(operations: readonly Operation[]): SharedResponses {
  const responses = new Map(operations.map((each) => [each, responsesOf(each.answers)]));
  const uses = new Map<string, number>();
  for (const [{ tag }, byStatus] of responses) {
    for (const [status, response] of Object.entries(byStatus)) {
      const key = keyOf(tag, status, response);
      uses.set(key, (uses.get(key) ?? 0) + 1);
    }
  }

  const components: Record<string, Response> = {};
  const names = new Map<string, string>();
  const nameOf = (key: string, tag: string, status: string, response: Response): string => {
    const known = names.get(key);
    if (known !== undefined) return known;
    let name = tag + status;
    for (let n = 2; name in components; n++) name = `${tag}${status}-${n}`;
    names.set(key, name);
    components[name] = response;
    return name;
  };
  const paths = new Map(
    [...responses].map(([operation, byStatus]) => {
      const { tag } = operation;
      const shared = Object.entries(byStatus).map(([status, response]) => {
        const key = keyOf(tag, status, response);
        if ((uses.get(key) ?? 0) < 2) return [status, response];
        return [status, { $ref: `#/components/responses/${nameOf(key, tag, status, response)}` }];
      });
      return [operation, Object.fromEntries(shared)];
    }),
  );
  return { components, of: (operation) => paths.get(operation) ?? {} };
}

const keyOf = (...parts: readonly unknown[]) => JSON.stringify(parts);

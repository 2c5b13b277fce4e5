import SchemaBuilder from '@pothos/core';
import RelayPlugin from '@pothos/plugin-relay';
import { GraphQLError } from 'graphql';
import { z } from 'zod';
import type { Actor } from '../actor.ts';
import type { Loaders } from '../credentials/load.ts';
import type { Gateway } from '../gateway.ts';
import type { Unauthenticated } from '../refusals.ts';

/** What a resolver knows of its request. */
export interface Context {
  readonly gateway: Gateway;
  readonly requestId: string;
  readonly actor: Actor | Unauthenticated;
  readonly loaders: Loaders;
  readonly live: Live;
  /** Says what came of a mutation: `DONE`, the code of its refusal, or `FAILED`. */
  readonly note: (mutation: string, outcome: string) => void;
}

/** What a subscription needs of its request, since it outlives its first answer. */
export interface Live {
  /** Has proxies pass on at once what is told. The signal aborts when the connection is closed. */
  begin(): AbortSignal;
  /** Who is asking, read again: still the same use of the token. */
  again(): Promise<Actor | Unauthenticated>;
  /** Ends the connection. */
  cut(): void;
}

/** What the schema is made of. */
export interface Types {
  Context: Context;
  DefaultFieldNullability: false;
  DefaultEdgesNullability: false;
  DefaultNodeNullability: false;
  Scalars: {
    ID: { Input: string; Output: string };
    /** Milliseconds since 1970 inside, RFC 3339 outside. */
    DateTime: { Input: number; Output: number };
  };
}

export type Extended = PothosSchemaTypes.ExtendDefaultTypes<Types>;
export type Builder = ReturnType<typeof createBuilder>;
/** What a type's fields are declared with. */
export type FieldBuilder<Shape> = PothosSchemaTypes.ObjectFieldBuilder<Extended, Shape>;
/** The fields of a type, by name. */
export type Fields<Shape> = ReturnType<
  Extract<
    PothosSchemaTypes.ObjectTypeOptions<Extended, Shape>['fields'],
    (...args: never[]) => unknown
  >
>;

/** How many items a page has by default, and at the most. */
export const PAGE_DEFAULT = 20;
export const PAGE_MAX = 100;

const rfc3339 = z.iso.datetime({ offset: true });

/** An empty schema; one for each schema that is built, so that two can differ. */
export function createBuilder() {
  const builder = new SchemaBuilder<Types>({
    plugins: [RelayPlugin],
    defaultFieldNullability: false,
    relay: {
      cursorType: 'String',
      edgesFieldOptions: { nullable: false, description: 'The items of the page, with cursors.' },
      nodeFieldOptions: { nullable: false, description: 'The item.' },
      cursorFieldOptions: { description: 'Where the item lies, for `after` and `before`.' },
      pageInfoFieldOptions: { description: 'Where the page lies in the list.' },
      pageInfoTypeOptions: { description: 'Where a page lies in its list (Relay).' },
      hasNextPageFieldOptions: { description: 'Whether more follows.' },
      hasPreviousPageFieldOptions: { description: 'Whether something comes before.' },
      startCursorFieldOptions: { description: 'The cursor of the first item.' },
      endCursorFieldOptions: { description: 'The cursor of the last item.' },
      firstArgOptions: {
        description: `How many of the first: ${PAGE_DEFAULT} unless said, ${PAGE_MAX} at the most.`,
      },
      lastArgOptions: { description: `How many of the last, ${PAGE_MAX} at the most.` },
      afterArgOptions: { description: 'Only what follows this cursor.' },
      beforeArgOptions: { description: 'Only what comes before this cursor.' },
    },
  });
  builder.scalarType('DateTime', {
    description: 'A moment, as RFC 3339 writes it: `2026-11-21T09:00:00.000Z`.',
    serialize: (ms) => new Date(ms).toISOString(),
    parseValue: (value) => {
      const { data } = rfc3339.safeParse(value);
      // Thrown as GraphQL's own error, since it is the client's.
      if (data === undefined) throw new GraphQLError('A DateTime is a text as in RFC 3339.');
      return Date.parse(data);
    },
  });
  return builder;
}

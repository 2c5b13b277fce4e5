import { resolveCursorConnection } from '@pothos/plugin-relay';
import { GraphQLError } from 'graphql';
import { validate as isUuid } from 'uuid';
import { PAGE_DEFAULT, PAGE_MAX } from './builder.ts';

/** The arguments of a Relay list. */
export type PageArgs = Parameters<typeof resolveCursorConnection>[0]['args'];

/** A stretch of a list that is kept in ascending order and shown in descending. */
export interface Stretch {
  /** Only what has a greater cursor. */
  readonly above?: string | undefined;
  /** Only what has a lesser cursor. */
  readonly below?: string | undefined;
  readonly limit: number;
  readonly ascending: boolean;
}

/** A page of a Relay list, newest first. */
export async function newestFirst<Item>(
  args: PageArgs,
  cursorOf: (item: Item) => string,
  isCursor: (text: string) => boolean,
  read: (stretch: Stretch) => Promise<Item[]>,
) {
  for (const cursor of [args.after, args.before]) {
    if (cursor != null && !isCursor(cursor)) {
      throw new GraphQLError('This is not a cursor of this list.', {
        extensions: { code: 'BAD_USER_INPUT' },
      });
    }
  }
  const page = await resolveCursorConnection<Promise<Item[]>>(
    { args, defaultSize: PAGE_DEFAULT, maxSize: PAGE_MAX, toCursor: cursorOf },
    ({ before, after, limit, inverted }) =>
      read({ above: before, below: after, limit, ascending: inverted }),
  );
  const nowhere = { startCursor: null, endCursor: null };
  return [...page.edges].length > 0
    ? page
    : { ...page, pageInfo: { ...page.pageInfo, ...nowhere } };
}

export const isIdCursor = isUuid;
export const isNumberCursor = (text: string): boolean => /^\d{1,15}$/.test(text);

import type { Kysely } from 'kysely';
import type { Revocable, Tables } from '../../db/tables.ts';
import type { Operation } from '../operation.ts';
import type { Refusal } from '../refusals.ts';
import { chainOf } from '../standing.ts';
import { findById } from './find.ts';
import type { Input, Kind, Located } from './kind.ts';
import { type Revoked, type RevokeRefusal, revokeNamed } from './revoke.ts';

/** Ids that one call can revoke. */
export const IDS_MAX = 10_000;

/** The longest id, in characters: an address of two of the longest names. */
export const ID_CHARS_MAX = 401;

/**
 * The operation that revokes a credential of this kind, which is named by one text: the id of its row,
 * or else its address as the ledger writes it, with `/` between two parts.
 */
export const revokeById = <Field extends string, Answer, R extends Refusal>(
  kind: Kind<Field, Answer, R>,
): Operation<string, Revoked<null>, RevokeRefusal<R>> =>
  revokeNamed(
    { ...kind, address: kind.noun, show: async () => null },
    {
      describe: (id) => id,

      async locate(db, organizationId, id) {
        const parts = id.split('/');
        if (parts.length === 1) {
          // Ids are UUIDs, which callers may spell in capitals.
          const row = await findById(db, organizationId, kind.name, id.toLowerCase());
          if (row !== undefined) return kind.inProject ? await inProject(db, row) : { target: row };
        }
        const fields = Object.keys(kind.input);
        if (parts.length !== fields.length) return undefined;
        const input = Object.fromEntries(fields.map((field, i) => [field, parts[i] ?? '']));
        return await kind.locate(db, organizationId, input as Input<Field>);
      },
    },
  );

/** What an address with the name of the project leads to, for a row that is at hand. */
async function inProject(db: Kysely<Tables>, row: Revocable): Promise<Located<never>> {
  const project = (await chainOf(db, 'id', row.id)).find(({ kind }) => kind === 'project');
  if (typeof project?.slug !== 'string') throw new Error(`${row.kind} ${row.id} has no project`);
  return { target: row, project: project.slug, tells: project.id };
}

import type { ObjectRef } from '@pothos/core';
import { validate as isUuid } from 'uuid';
import type { Revocable } from '../../db/tables.ts';
import type { Actor } from '../actor.ts';
import { childrenPage, rowById } from '../credentials/load.ts';
import { type RevocationReason, revocationReasons } from '../operation.ts';
import { missingPermissions, type Permission } from '../permissions.ts';
import { Refusal } from '../refusals.ts';
import type { Builder, Context, Extended, FieldBuilder, Fields } from './builder.ts';
import { isIdCursor, newestFirst, type PageArgs } from './page.ts';

/** How the graph shows the rows of one kind. */
export interface TypeSpec {
  /** The kind of the rows. */
  readonly kind: string;
  /** The name of the type. */
  readonly type: string;
  readonly description: string;
  /** What a caller needs to see one by its id. */
  readonly read: Permission;
  /** The lists that hold it: a field of the type of its parent, or of `Me` for the organization's. */
  readonly lists: readonly { readonly on: string; readonly field: string }[];
  /** What only this type shows. */
  readonly fields?: (t: FieldBuilder<Revocable>, builder: Builder) => Fields<Revocable>;
}

/** `api-key` is `API_KEY`. */
export const kindValue = (kind: string): string => kind.toUpperCase().replaceAll('-', '_');

/** `API_KEY` is `api-key`. */
export const kindOf = (value: string): string => value.toLowerCase().replaceAll('_', '-');

/** What the ledger tells of and the graph does not show as something that can be revoked. */
const withoutType = [
  { kind: 'environment', description: 'A place that is told of changes in a project.' },
  { kind: 'webhook', description: 'A URL that is told of what happens in the organization.' },
  { kind: 'trusted-token', description: 'JWTs of a trusted issuer.' },
  { kind: 'signing-key', description: 'A key with which the gateway signs for all organizations.' },
  { kind: 'unknown', description: 'A secret, a token or the id of a target that nobody here has.' },
];

/** Adds the interfaces of everything that can be revoked, the type of each kind, and their lists. */
export function addTypes(builder: Builder, specs: readonly TypeSpec[]) {
  const kindEnum = builder.enumType('RevocableKind', {
    description: 'What kind of thing an attempt was about.',
    values: Object.fromEntries(
      [...specs, ...withoutType].map(({ kind, description }) => [kindValue(kind), { description }]),
    ),
  });
  const reasonEnum = builder.enumType('RevocationReason', {
    description: "Why something is revoked, in RFC 5280's words.",
    values: Object.fromEntries(
      revocationReasons.map((reason) => [reason, { description: reasonTexts[reason] }]),
    ),
  });
  const node = builder.interfaceRef<{ id: string }>('Node').implement({
    description: 'Something with an id of its own (Relay).',
    fields: (t) => ({ id: t.exposeID('id', { description: 'Unique among everything.' }) }),
  });
  const revocable = builder.interfaceRef<Revocable>('Revocable').implement({
    description:
      'Something that can be revoked. It is good while it and all above it are neither revoked nor expired.',
    interfaces: [node],
    resolveType: (row) => specs.find(({ kind }) => kind === row.kind)?.type,
    fields: (t) => ({
      kind: t.field({
        type: kindEnum,
        description: 'What it is.',
        resolve: (row) => kindValue(row.kind),
      }),
      name: t.exposeString('name', { nullable: true, description: 'What people call it.' }),
      slug: t.exposeString('slug', {
        nullable: true,
        description: 'What it is called in addresses, where it is not addressed by its id.',
      }),
      issuedAt: t.field({
        type: 'DateTime',
        description: 'When it was made.',
        resolve: (row) => row.issued_at_ms,
      }),
      createdBy: t.string({
        nullable: true,
        description: 'Who made it; null where that was not recorded.',
        resolve: (row) => row.created_by,
      }),
      expiresAt: t.field({
        type: 'DateTime',
        nullable: true,
        description: 'When it ends by itself.',
        resolve: (row) => row.expires_at_ms,
      }),
      revokedAt: t.field({
        type: 'DateTime',
        nullable: true,
        description: 'When it was revoked.',
        resolve: (row) => row.revoked_at_ms,
      }),
      revokedBy: t.string({
        nullable: true,
        description: 'Who revoked it.',
        resolve: (row) => row.revoked_by,
      }),
      revocationReason: t.field({
        type: reasonEnum,
        nullable: true,
        description: 'Why it was revoked.',
        resolve: (row) => row.reason as RevocationReason | null,
      }),
    }),
  });

  const refs = new Map(specs.map((spec) => [spec.type, builder.objectRef<Revocable>(spec.type)]));
  for (const spec of specs) {
    refs.get(spec.type)?.implement({
      description: spec.description,
      interfaces: [revocable, node],
      isTypeOf: (value) => (value as Revocable).kind === spec.kind,
      fields: (t) => spec.fields?.(t, builder) ?? {},
    });
  }
  return { kindEnum, reasonEnum, node, revocable, refs };
}

const reasonTexts: Record<RevocationReason, string> = {
  UNSPECIFIED: 'Not said.',
  KEY_COMPROMISE: 'The secret is known, or believed to be known, to somebody else.',
  SUPERSEDED: 'Another has taken its place.',
  PRIVILEGE_WITHDRAWN: 'Its holder may no longer do what it allows.',
  CESSATION_OF_OPERATION: 'What used it is no longer in operation.',
};

export type GraphTypes = ReturnType<typeof addTypes>;

/** Adds the lists of each type. `me` is the shape of `Me`; its lists are the organization's. */
export function addLists(
  builder: Builder,
  specs: readonly TypeSpec[],
  types: GraphTypes,
  me: ObjectRef<Extended, Actor>,
): void {
  for (const spec of specs) {
    const ref = types.refs.get(spec.type);
    if (ref === undefined || spec.lists.length === 0) continue;
    const connection = builder.connectionObject(
      {
        type: ref,
        name: `${spec.type}Connection`,
        description: `A page of a list of ${spec.type}.`,
      },
      { name: `${spec.type}Edge`, description: `One ${spec.type} of a page.` },
    );
    const description = (owner: string) => `Each ${spec.type} of the ${owner}, newest first.`;
    for (const { on, field } of spec.lists) {
      if (on === 'Me') {
        builder.objectField(me, field, (t) =>
          t.connection(
            {
              type: ref,
              nullable: true,
              description: `${description('organization')} Null without the permission ${spec.read}.`,
              resolve: (actor, args, context) =>
                missingPermissions(actor.permissions, [spec.read]).length > 0
                  ? null
                  : children(context, actor.organizationId, spec.kind, args),
            },
            connection,
          ),
        );
      } else {
        const parent = types.refs.get(on);
        if (parent === undefined)
          throw new Error(`${spec.type} is listed on ${on}, which is no type`);
        builder.objectField(parent, field, (t) =>
          t.connection(
            {
              type: ref,
              description: description(on),
              resolve: (row, args, context) => children(context, row.id, spec.kind, args),
            },
            connection,
          ),
        );
      }
    }
  }
}

/** The row with this id, where it is the caller's to see: its organization's, and of a type it may read. */
export async function visibleRow(
  specs: readonly TypeSpec[],
  id: string,
  { actor, loaders }: Context,
): Promise<Revocable | null> {
  // A database need not take any other text.
  if (actor instanceof Refusal || !isUuid(id)) return null;
  const row = await loaders.load(rowById, id);
  const spec = specs.find(({ kind }) => kind === row?.kind);
  if (row === undefined || spec === undefined) return null;
  return missingPermissions(actor.permissions, [spec.read]).length === 0 ? row : null;
}

/** A page of children, newest first. */
function children(context: Context, parentId: string, kind: string, args: PageArgs) {
  return newestFirst(
    args,
    (row: Revocable) => row.id,
    isIdCursor,
    (stretch) => context.loaders.load(childrenPage, { parentId, kind, ...stretch }),
  );
}

import { expect } from 'vitest';
import { credentials } from '../src/credentials/kinds.ts';
import { ask, type Result } from './creation.ts';
import { creationOf, creations } from './creations.ts';
import { type Past, past } from './engine.ts';
import { type Harness, openGateway } from './harness.ts';
import { makeKey, trusting } from './issuers.ts';
import { makeTarget } from './kinds.ts';

/** Organizations that are nobody's business, and whatever would give them away. */

/** What their names have in them, which nobody ever sends. */
const MARK = 'stranger9f3';

/** A value of theirs that may be sent, and one like it that is nobody's. */
export interface Bait {
  readonly theirs: string;
  readonly nobodys: string;
}

export interface Strangers {
  readonly baits: readonly Bait[];
  /** How one of theirs of each kind is addressed. */
  readonly addresses: readonly Readonly<Record<string, string>>[];
  /** What of theirs is in a text; nothing is sent that has any of it. */
  in(text: string): string[];
  /** Every row of theirs. */
  rows(): Promise<unknown>;
}

/** Makes an organization, and whoever may do everything there; the ledger of who made it says so. */
export async function makeTenant(h: Harness, slug: string, by?: string): Promise<string> {
  const { secret } = await ask(h, creationOf('createOrganization'), { slug }, by);
  if (secret === undefined) throw new Error(`There is no organization ${slug}`);
  return secret;
}

const named = ['name', 'slug', 'subject', 'comment'];

/** A gateway with the demo's organization, whose callers ask, with strangers, and what it logs of faults. */
export async function openAmongStrangers() {
  const key = await makeKey();
  const { trustedIssuers, outboundAllow } = trusting({ keys: [key.jwk] });
  const log: string[] = [];
  const h = await openGateway({
    config: { trustedIssuers, outboundAllow, logLevel: 'error' },
    logTo: { write: (line) => log.push(line) },
  });
  return { h, strangers: await plantStrangers(h), log: () => log };
}

/** Fills organizations with everything that can be made, each under a name that is known on sight. */
async function plantStrangers(h: Harness): Promise<Strangers> {
  const baits: string[] = [h.demo.callers.outsider];
  for (const [i, creation] of creations.entries()) {
    if (creation.mutation === 'createOrganization') continue;
    const slug = `${MARK}-${i}`;
    const admin = await makeTenant(h, slug, h.demo.callers.outsider);
    const { input } = await creation.arrange(h, slug);
    const marked = Object.fromEntries(
      Object.keys(input)
        .filter((field) => named.includes(field) && !creation.address?.includes(field))
        .map((field) => [field, `${MARK}-${field}`]),
    );
    const { code, secret }: Result = await ask(h, creation, { ...input, ...marked }, admin);
    expect([creation.mutation, code]).toEqual([creation.mutation, undefined]);
    // With its id a client's secret is a good authentication.
    if (secret !== undefined && creation.mutation !== 'createOauthClient') baits.push(secret);
  }
  const addresses: Record<string, string>[] = [];
  for (const { graph } of credentials) {
    const { input, rowId } = await makeTarget(h, graph.kind, `${MARK}-1`);
    baits.push(rowId, ...Object.values(input));
    addresses.push(input);
  }
  const read = await past(h.folder);
  const rows = () => rowsOf(read);
  const uuids = new Set(JSON.stringify(await rows()).match(UUID) ?? []);
  for (const bait of baits) uuids.delete(bait);
  return {
    addresses,
    baits: [...new Set(baits)]
      // Without a digit it may be somebody's everywhere.
      .filter((theirs) => /\d/.test(theirs))
      .map((theirs) => ({ theirs, nobodys: twinOf(theirs) })),
    in: (text) => [
      ...(text.match(MARKS) ?? []),
      ...(text.match(UUID) ?? []).filter((id) => uuids.has(id)),
    ],
    rows,
  };
}

const MARKS = new RegExp(`${MARK}|globex|\\boutsider\\b`, 'g');
const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

/** A value of the same form: with other digits. */
function twinOf(value: string): string {
  if (value.match(UUID)?.[0] === value) {
    const end = value.slice(-12).replace(/\d/g, (digit) => `${9 - Number(digit)}`);
    return value.slice(0, -12) + end;
  }
  const begin = Math.max(
    value.lastIndexOf('.') + 1,
    /^(?:rgw_[a-z]+_|ksh_)?/.exec(value)?.[0].length ?? 0,
  );
  const end = value.slice(begin).replace(/\d/g, (digit) => 'qrstuvwxyz'.charAt(Number(digit)));
  return value.slice(0, begin) + end;
}

const THEIRS = `select id from revocables where parent_id is null
  and (slug like '${MARK}%' or slug = 'globex')`;

/** What can only change where somebody changes it. */
async function rowsOf(read: Past): Promise<Record<string, unknown[]>> {
  const found: Record<string, unknown[]> = {};
  for (const [table, columns = '*'] of [
    ['revocables'],
    ['cut_offs'],
    [
      'targets',
      'id, organization_id, scope_id, name, url, secret_jwe, removed_at_ms, events, kinds',
    ],
    [
      'ledger',
      'id, organization_id, action, target, target_id, actor, actor_id, comment, request_id',
    ],
  ] as const) {
    // What the gateway has found out by itself about who is told.
    const asked = table === 'ledger' ? "and surface <> 'gateway'" : '';
    found[table] = await read.all(
      `select ${columns} from ${table} where organization_id in (${THEIRS}) ${asked} order by id`,
    );
  }
  for (const table of ['jwks', 'jwt_auths', 'auth_methods', 'oauth_clients', 'jwk_assignments']) {
    found[table] = await read.all(
      `select d.* from ${table} d join revocables r on r.id = d.id
       where r.organization_id in (${THEIRS}) order by d.id`,
    );
  }
  return found;
}

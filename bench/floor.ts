import type { RequestListener, ServerResponse } from 'node:http';
import { hashSecret } from '../src/secrets.ts';
import type { Given } from './contestant.ts';
import { listen, readBody } from './http-server.ts';
import { type Names, newRequestId, openReplay, type Rows } from './replay.ts';
import type { WorkloadName } from './workloads.ts';

/**
 * The floor: bare `node:http`, and the statements of the gateway. It authenticates by them, shares
 * commits as the gateway does, and answers with as many bytes.
 */
export async function serve({ database, program, workload, port }: Given): Promise<number> {
  const replay = openReplay(database, program);

  function end(response: ServerResponse, names: Names, body = replay.body(names)): void {
    response.writeHead(200, {
      ...replay.headers(names),
      'content-length': Buffer.byteLength(body),
    });
    response.end(body);
  }

  function write(response: ServerResponse, names: Names): void {
    expectPermitted(replay.read(names), 'organization:admin');
    replay.write(names, () => end(response, names));
  }

  const handlers: Record<WorkloadName, RequestListener> = {
    health: (_request, response) => {
      const names = { requestId: newRequestId() };
      replay.read(names);
      replay.write(names, () => end(response, names));
    },
    'rest-revoke': ({ url = '', headers }, response) => {
      const [, , , , applicationId = '', , keyId = ''] = url.split('/');
      write(response, { ...callerOf(headers.authorization), applicationId, keyId });
    },
    'graphql-revoke': (request, response) =>
      readBody(request, (body) => {
        const { applicationId, keyId } = JSON.parse(body).variables.input;
        write(response, { ...callerOf(request.headers.authorization), applicationId, keyId });
      }),
    introspect: (request, response) =>
      readBody(request, (body) => {
        const tokenHash = hashSecret(new URLSearchParams(body).get('token') ?? '');
        const names: Names = { ...callerOf(request.headers.authorization), tokenHash };
        const rows = replay.read(names);
        expectPermitted(rows, 'credential:introspect');
        names.tokenId = String(rows.flat().find((row) => row.secret_hash === tokenHash)?.id);
        end(response, names);
      }),
    'introspect-jwt': (request, response) => handlers.introspect(request, response),
    'bulk-revoke': (request, response) =>
      readBody(request, (body) => {
        const caller = callerOf(request.headers.authorization);
        const { ids } = JSON.parse(body).variables.input as { ids: string[] };
        expectPermitted(replay.read(caller), 'organization:admin');
        const all = ids.map((keyId) => ({ ...caller, keyId }));
        void replay.writeAll(all, program.chunkMs).then(() => end(response, caller, bulkBody(ids)));
      }),
  };

  return await listen(handlers[workload], port);
}

/** The caller's rows are read first; the nearest that says what it may do counts. */
function expectPermitted([chain = []]: Rows, permission: string): void {
  const said = chain.find(({ permissions }) => permissions !== null)?.permissions;
  if (JSON.parse(String(said)).includes(permission)) return;
  throw new Error(`The caller may not ${permission}`);
}

/** What the gateway says of a bulk request of which every id was revoked. */
function bulkBody(ids: readonly string[]): string {
  const revokeMany = {
    ...{ __typename: 'RevokeManySuccess', revoked: ids.length, refused: 0 },
    results: ids.map((id) => ({ id, error: null })),
  };
  return JSON.stringify({ data: { revokeMany } });
}

/** Who asks, by the hash of what they present: a bearer token, or the secret of a client. */
function callerOf(authorization = ''): Names {
  const [scheme, given = ''] = authorization.split(' ');
  const secret =
    scheme === 'Basic'
      ? decodeURIComponent(Buffer.from(given, 'base64').toString().split(':')[1] ?? '')
      : given;
  return { callerHash: hashSecret(secret), requestId: newRequestId() };
}

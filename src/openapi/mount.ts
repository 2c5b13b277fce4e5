import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Config } from '../config.ts';
import type { Gateway } from '../gateway.ts';
import { gatewayAnswers } from '../rest/dialects/gateway.ts';
import { mountOtherMethods, send } from '../rest/mount.ts';
import type { RestRoute } from '../rest/route.ts';
import { API_PAGE_PATH, OPENAPI_PATH } from './paths.ts';
import { replyOf, type StaticFile } from './static-file.ts';

export interface OpenapiOptions {
  /** The routes that the server mounts. */
  readonly routes: readonly RestRoute[];
  /** `production` has no page to try it. */
  readonly profile: Config['profile'];
  /** What the page asks with, where somebody is to try it at once. */
  readonly token?: string | undefined;
}

/**
 * Mounts the OpenAPI document of all that is mounted, and the page to try it. Both are loaded with
 * their first request: a gateway that starts waits for neither.
 */
export function mountOpenapi(
  app: FastifyInstance,
  { publicUrl }: Pick<Gateway, 'publicUrl'>,
  { routes, profile, token }: OpenapiOptions,
): void {
  const get = (
    url: string,
    fileOf: (request: FastifyRequest) => Promise<StaticFile | undefined>,
  ) => {
    app.get(url, async (request, reply: FastifyReply) => {
      const file = await fileOf(request);
      if (file === undefined) return reply.callNotFound();
      return send(reply, replyOf(file, request.headers['if-none-match']));
    });
    mountOtherMethods(app, url, ['GET', 'HEAD'], gatewayAnswers);
  };

  let document: StaticFile | undefined;
  get(OPENAPI_PATH, async () => {
    const { openapiFile } = await import('./document.ts');
    document ??= openapiFile({ routes, publicUrl, profile });
    return document;
  });
  if (profile !== 'development') return;
  get(API_PAGE_PATH, async () => (await import('./page.ts')).page(token));
  get(`${API_PAGE_PATH}/:file`, async ({ params }) => {
    const { pageFile } = await import('./page.ts');
    return await pageFile((params as { file: string }).file);
  });
}

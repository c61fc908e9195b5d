import type { BlockList } from 'node:net';
import type Router from '@koa/router';
import Koa from 'koa';
import type { Logger } from 'pino';
import type { AnswerCache } from './answers/answer-cache.ts';
import { fromCache } from './answers/cache-lookup.ts';
import { accessLog } from './http/access-log.ts';
import { clientAddress } from './http/client-address.ts';
import { compression } from './http/compression.ts';
import { crossOrigin } from './http/cors.ts';
import { hostGuard } from './http/host.ts';
import { language } from './http/language.ts';
import { originGuard } from './http/origin.ts';
import { preconditions } from './http/preconditions.ts';
import { problems } from './http/problems.ts';
import { requestId } from './http/request-id.ts';
import { securityHeaders } from './http/security-headers.ts';
import type { State } from './http/state.ts';
import { inOrder } from './http/steps.ts';
import { type Retirement, versionPrefix } from './http/version-prefix.ts';
import { identify } from './identity/identify.ts';
import type { Access } from './identity/open-access.ts';
import { addressLists } from './limits/address-lists.ts';
import { limitConcurrency } from './limits/concurrency.ts';
import type { Metrics } from './metrics/metrics.ts';
import { problemOfLedgerError } from './solicitudes/error-mapping.ts';

/** The settings of the protocol. */
export interface HttpSettings {
  /** Host names that are accepted besides the gateway's own address. */
  readonly allowedHosts: readonly string[];
  /** Foreign sites whose pages may use the gateway: `https://app.example.org`. */
  readonly corsOrigins: readonly string[];
  /** Proxies whose `X-Forwarded-*` headers count. */
  readonly trustedProxies: BlockList | undefined;
  /** The retirement of `/v1`. */
  readonly retirement: Retirement;
}

export interface AppDeps {
  readonly http: HttpSettings;
  readonly access: Omit<Access, 'parts'>;
  readonly cache: AnswerCache;
  readonly metrics: Metrics;
  /** The routes of the operations, which come first, and all others. */
  readonly routers: { readonly operations: Router<State>; readonly others: readonly Router<State>[] };
  /** Paths that authenticate by themselves. */
  readonly openPaths: readonly string[];
  readonly log: Logger;
}

/** Creates the HTTP application: the middlewares in their order, then the routes. It does not listen. */
export function createApp(deps: AppDeps): Koa<State> {
  const { http, access, cache, metrics, routers, openPaths, log } = deps;
  const app = new Koa<State>();
  // Koa reports answers that could not be written to a disconnected client. The access log has them, as 499.
  app.on('error', (err) => log.debug({ err }, 'response not sent; the client has disconnected'));
  app.use(
    inOrder(
      requestId(),
      accessLog(log, metrics),
      versionPrefix(http.retirement),
      clientAddress(http.trustedProxies),
      language(),
      securityHeaders(),
    ),
  );
  if (http.corsOrigins.length > 0) app.use(crossOrigin(http.corsOrigins));
  app.use(problems(log, problemOfLedgerError));
  app.use(
    inOrder(
      limitConcurrency(access.maxRequests),
      addressLists(access.ipAllow, access.ipDeny),
      hostGuard({ allowed: http.allowedHosts }),
      originGuard(http.corsOrigins),
    ),
  );
  const { authenticator, rateLimit } = access;
  app.use(identify({ authenticator, alsoOpen: openPaths, onRefused: rateLimit?.charge }));
  if (rateLimit !== undefined) app.use(rateLimit.middleware);
  app.use(fromCache(cache));
  // Each router checks all of its routes: the busiest comes first.
  app.use(routers.operations.routes());
  app.use(access.routes.routes());
  app.use(compression()).use(preconditions());
  for (const router of routers.others) app.use(router.routes());
  return app;
}

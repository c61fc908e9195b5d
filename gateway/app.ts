import type { BlockList } from 'node:net';
import Router from '@koa/router';
import Koa from 'koa';
import type { Logger } from 'pino';
import { createIndex } from './admin/index-page.ts';
import { createSalud, type SaludDeps } from './admin/salud.ts';
import { fromCache } from './answers/cache-lookup.ts';
import type { Colas } from './colas/routes.ts';
import { documentsRoutes } from './documents/routes.ts';
import { accessLog } from './http/access-log.ts';
import { clientAddress } from './http/client-address.ts';
import { compression } from './http/compression.ts';
import { crossOrigin } from './http/cors.ts';
import { hostGuard } from './http/host.ts';
import { language } from './http/language.ts';
import { originGuard } from './http/origin.ts';
import { problems } from './http/problems.ts';
import { requestId } from './http/request-id.ts';
import { securityHeaders } from './http/security-headers.ts';
import type { State } from './http/state.ts';
import { inOrder } from './http/steps.ts';
import { type Retirement, versionPrefix } from './http/version-prefix.ts';
import { identify } from './identity/identify.ts';
import type { Identities } from './identity/identities.ts';
import { addressLists } from './limits/address-lists.ts';
import { limitConcurrency } from './limits/concurrency.ts';
import type { RateLimit } from './limits/rate-limit.ts';
import type { Live } from './live/routes.ts';
import type { Metrics } from './metrics/metrics.ts';
import { type OperationsDeps, operationRoutes } from './serve/routes.ts';
import { problemOfLedgerError } from './solicitudes/error-mapping.ts';
import { type SolicitudesDeps, solicitudesRoutes } from './solicitudes/routes.ts';

export interface AppDeps extends OperationsDeps, SolicitudesDeps, Omit<SaludDeps, 'ledger'> {
  readonly log: Logger;
  /** Names under which this gateway may be asked, besides its own address. */
  readonly allowedHosts: readonly string[];
  /** Sites whose pages may use this besides our own: `https://app.example.org`. */
  readonly corsOrigins: readonly string[];
  /** Whose `X-Forwarded-*` count. */
  readonly trustedProxies: BlockList | undefined;
  readonly ipAllow: BlockList | undefined;
  readonly ipDeny: BlockList | undefined;
  /** Requests in flight; more are refused. */
  readonly maxRequests: number;
  readonly rateLimit: RateLimit | undefined;
  readonly identities: Identities;
  readonly live: Pick<Live, 'routes' | 'paths'>;
  readonly colas: Pick<Colas, 'routes'>;
  readonly metrics: Metrics;
  /** Of `/v1`. */
  readonly retirement: Retirement;
}

/** The gateway's HTTP application. It does not listen. */
export function createApp(deps: AppDeps): Koa<State> {
  const app = new Koa<State>();
  // Koa tells of answers that could not be written to a client that is gone. The access log has them, as 499.
  app.on('error', (err) => deps.log.debug({ err }, 'response'));
  app.use(
    inOrder(
      requestId(),
      accessLog(deps.log, deps.metrics),
      versionPrefix(deps.retirement),
      clientAddress(deps.trustedProxies),
      language(),
      securityHeaders(),
    ),
  );
  if (deps.corsOrigins.length > 0) app.use(crossOrigin(deps.corsOrigins));
  app.use(problems(deps.log, problemOfLedgerError));
  app.use(
    inOrder(
      limitConcurrency(deps.maxRequests),
      addressLists(deps.ipAllow, deps.ipDeny),
      hostGuard({ allowed: deps.allowedHosts }),
      originGuard(deps.corsOrigins),
    ),
  );
  app.use(
    identify({
      authenticator: deps.identities.authenticator,
      alsoOpen: deps.live.paths,
      onRefused: deps.rateLimit?.charge,
    }),
  );
  if (deps.rateLimit !== undefined) app.use(deps.rateLimit.middleware);
  app.use(fromCache(deps.cache));
  // Each router looks at all of its routes: the busiest comes first.
  app.use(operationRoutes(deps).routes());
  app.use(deps.identities.routes.routes());
  app.use(compression());
  app.use(adminRoutes(deps).routes());
  app.use(deps.live.routes().routes());
  app.use(solicitudesRoutes(deps).routes());
  app.use(deps.colas.routes().routes());
  app.use(
    documentsRoutes({
      version: deps.version,
      operations: deps.services.flatMap(({ operations }) => operations),
      tokenNeeded: deps.identities.authenticator.verify !== undefined,
      ofIdentity: new Set(deps.identities.routes.stack.map(({ path }) => String(path))),
    }).routes(),
  );
  return app;
}

function adminRoutes(deps: AppDeps): Router<State> {
  const router = new Router<State>();
  const { salud, viva, preparada } = createSalud(deps);
  router.get(
    '/',
    createIndex({ version: deps.version, operations: deps.services.flatMap((s) => s.operations) }),
  );
  router.get('/salud', salud);
  router.get(['/salud/viva', '/healthz'], viva);
  router.get(['/salud/preparada', '/readyz'], preparada);
  router.get('/metrics', async (ctx) => {
    const { type, text } = await deps.metrics.render();
    ctx.set({ 'Cache-Control': 'no-store', 'Content-Type': type });
    ctx.body = text;
  });
  return router;
}

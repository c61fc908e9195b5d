import { once } from 'node:events';
import Router from '@koa/router';
import type { Logger } from 'pino';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Part } from '../../runtime/lifecycle.ts';
import { within } from '../../runtime/timeout.ts';
import type { ServiceClient } from '../calls/service-client.ts';
import { ProblemError } from '../http/problem.ts';
import type { Context, State } from '../http/state.ts';
import type { Upgrades } from '../http/upgrade.ts';
import type { Authenticator } from '../identity/authenticator.ts';
import { createPerCallerLimit, LimitReachedError } from '../limits/per-caller-limit.ts';
import { quotaKeyOf } from '../limits/quota-key.ts';
import type { RateLimit } from '../limits/rate-limit.ts';
import type { Operation, OperationLive } from '../operations/operation.ts';
import type { Service } from '../operations/service.ts';
import { serveConversation } from './conversation.ts';

export interface LiveDeps {
  readonly services: readonly Service[];
  readonly serviceClient: (service: string) => ServiceClient;
  readonly upgrades: Upgrades;
  readonly authenticator: Authenticator;
  readonly rateLimit: Pick<RateLimit, 'chargeFor'> | undefined;
  /** A client that receives nothing for this long is disconnected, in milliseconds. */
  readonly stallMs: number;
  readonly log: Logger;
}

export interface Live extends Part {
  /** `/{operation}/en_vivo` for each operation that supports live queries. */
  readonly paths: readonly string[];
  routes(): Router<State>;
}

const maxMessageBytes = 64 * 1024;
/** Maximum number of clients: each holds a call to its service. */
const maxClients = 1_000;
/** Time for clients to close when the process stops. */
const closeMs = 1_000;
const goingAway = 1001;

/** Creates the WebSocket endpoints that answer an operation's queries as the user types. */
export function createLive(deps: LiveDeps): Live {
  const { services, serviceClient, upgrades, authenticator, rateLimit, stallMs, log } = deps;
  const server = new WebSocketServer({ noServer: true, maxPayload: maxMessageBytes, clientTracking: false });
  const clients = new Set<WebSocket>();
  const endpoints = services.flatMap(({ name, operations }) =>
    operations.flatMap((operation) => {
      const { live } = operation;
      return live === undefined ? [] : [{ path: `/${operation.name}/en_vivo`, name, operation, live }];
    }),
  );
  const slots = createPerCallerLimit(maxClients);
  let stopping = false;

  function takeSlot(quotaKey: string): Disposable {
    try {
      return slots.take(quotaKey);
    } catch (error) {
      if (!(error instanceof LimitReachedError) || error.own) throw error;
      throw new ProblemError('recursos-agotados', { headers: { 'retry-after': '5' } });
    }
  }

  async function serve(
    ctx: Context,
    service: string,
    operation: Operation,
    live: OperationLive,
  ): Promise<void> {
    if (!upgrades.asked(ctx.req)) {
      throw new ProblemError('requiere-websocket');
    }
    const known = await authenticator.identify(ctx.req);
    if (stopping) throw new ProblemError('recursos-agotados', { headers: { 'retry-after': '5' } });
    const { state } = ctx;
    const { address } = state;
    const slot = takeSlot(quotaKeyOf({ caller: known?.identity.id ?? '', address }));
    const charge =
      rateLimit && ((caller: string) => rateLimit.chargeFor(`/${operation.name}`, { caller, address }));
    const { socket, head } = upgrades.take(ctx.req);
    ctx.respond = false;
    if (socket.destroyed) slot[Symbol.dispose]();
    else socket.once('close', () => slot[Symbol.dispose]());
    // ws answers a malformed handshake itself, without calling back.
    server.handleUpgrade(ctx.req, socket, head, (client) => {
      ctx.status = 101;
      clients.add(client);
      client.once('close', () => clients.delete(client));
      void serveConversation(client, {
        operation,
        live,
        serviceClient: serviceClient(service),
        state,
        known,
        verify: authenticator.verify,
        charge,
        stallMs,
        log,
      });
    });
  }

  return {
    name: 'live',
    paths: endpoints.map(({ path }) => path),
    routes: () => {
      const router = new Router<State>();
      for (const { path, name, operation, live } of endpoints) {
        router.get(path, (ctx) => serve(ctx, name, operation, live));
      }
      return router;
    },
    start: async () => undefined,
    stop: async () => {
      stopping = true;
      const open = [...clients];
      const closed = open.map((client) => once(client, 'close'));
      for (const client of open) client.close(goingAway);
      await within(closeMs, Promise.all(closed));
      for (const client of clients) client.terminate();
    },
  };
}

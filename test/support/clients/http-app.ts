import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import Router from '@koa/router';
import Koa from 'koa';
import { type Logger, pino } from 'pino';
import { accessLog } from '../../../gateway/http/access-log.ts';
import { clientAddress } from '../../../gateway/http/client-address.ts';
import { hostGuard } from '../../../gateway/http/host.ts';
import { language } from '../../../gateway/http/language.ts';
import { problems } from '../../../gateway/http/problems.ts';
import { requestId } from '../../../gateway/http/request-id.ts';
import { securityHeaders } from '../../../gateway/http/security-headers.ts';
import { createHttpServer } from '../../../gateway/http/server.ts';
import type { State } from '../../../gateway/http/state.ts';
import { inOrder } from '../../../gateway/http/steps.ts';
import { createUpgrades } from '../../../gateway/http/upgrade.ts';
import { versionPrefix } from '../../../gateway/http/version-prefix.ts';
import { createAnonymous } from '../../../gateway/identity/anonymous.ts';
import { identify } from '../../../gateway/identity/identify.ts';
import { createMetrics } from '../../../gateway/metrics/metrics.ts';
import { problemOfLedgerError } from '../../../gateway/solicitudes/error-mapping.ts';

export interface HttpApp {
  readonly url: string;
  readonly port: number;
  /** Parsed log lines so far. */
  readonly lines: readonly Record<string, unknown>[];
  /** Resolves with the first line, past or future, that has the message and matches. */
  line(message: string, wanted: (line: Record<string, unknown>) => boolean): Promise<Record<string, unknown>>;
  /** Sends raw bytes; resolves with all that is received until the connection ends. */
  raw(request: string): Promise<string>;
  stop(): Promise<void>;
}

/** Starts the middlewares of gateway/http in their order, with the test's routes, on a free port. */
export async function startHttpApp(
  routes: (router: Router<State>) => void = () => undefined,
  allowed: readonly string[] = [],
): Promise<HttpApp> {
  const lines: Record<string, unknown>[] = [];
  const waiting = new Set<() => void>();
  const log: Logger = pino(
    {},
    {
      write: (text) => {
        lines.push(JSON.parse(text));
        for (const look of waiting) look();
      },
    },
  );
  const router = new Router<State>();
  routes(router);
  const app = new Koa<State>();
  app.use(
    inOrder(
      requestId(),
      accessLog(log, createMetrics()),
      language(),
      versionPrefix(),
      clientAddress(undefined),
      securityHeaders(),
    ),
  );
  app.use(problems(log, problemOfLedgerError)).use(inOrder(hostGuard({ allowed })));
  app
    .use(identify({ authenticator: createAnonymous({ onLoopback: true }), alsoOpen: [] }))
    .use(router.routes());
  const listener = app.callback();
  const server = createHttpServer(listener, createUpgrades().answerWith(listener));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${port}`,
    port,
    lines,
    line: (message, wanted) =>
      new Promise((resolve) => {
        const look = () => {
          const found = lines.find((line) => line['msg'] === message && wanted(line));
          if (found === undefined) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      }),
    raw: async (request) => {
      const socket = connect(port, '127.0.0.1');
      const chunks: Buffer[] = [];
      socket.on('data', (chunk: Buffer) => chunks.push(chunk));
      socket.write(Buffer.from(request, 'latin1'));
      await once(socket, 'close');
      return Buffer.concat(chunks).toString();
    },
    stop: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

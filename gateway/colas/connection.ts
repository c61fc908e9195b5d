import type { Logger } from 'pino';
import { type Link, type LinkState, openLink } from '../../runtime/amqp/link.ts';
import { type Session, SpareChannelTimeout } from '../../runtime/amqp/session.ts';
import { ProblemError } from '../http/problem.ts';

/**
 * A connection to RabbitMQ for the queue endpoints, opened at its first use. It is separate from the connections of
 * requests and replies, so that nothing done here can hold those up.
 */
export interface Connection {
  /**
   * Runs `work` on the connection's session and maps RabbitMQ's refusals to problems.
   * @throws ProblemError `rabbitmq-no-disponible`, `cola-no-encontrada`, `cola-incompatible`
   */
  use<Result>(queue: string, work: (session: Session) => Promise<Result>): Promise<Result>;
  stop(): Promise<void>;
}

/** Bound on the wait for a connection. A reachable broker accepts one well within it. */
const connectMs = 2_000;

export function createConnection(url: string, log: Logger): Connection {
  let link: Link | undefined;
  let current = Promise.withResolvers<Session>();

  function open(): Link {
    return openLink({
      url,
      name: 'archivero gateway colas',
      log,
      setup: async (session) => {
        session.signal.addEventListener('abort', () => {
          current = Promise.withResolvers();
        });
        current.resolve(session);
      },
    });
  }

  /** Rejects at once after a failed connection attempt, else when `connectMs` has passed. */
  async function session(): Promise<Session> {
    link ??= open();
    const away = Promise.withResolvers<never>();
    const check = (state: LinkState): void => {
      if (state.kind === 'connecting' && state.failure !== undefined) away.reject(unavailable());
    };
    check(link.state);
    const unsubscribe = link.subscribe(check);
    const timer = setTimeout(() => away.reject(unavailable()), connectMs);
    return Promise.race([current.promise, away.promise]).finally(() => {
      clearTimeout(timer);
      unsubscribe();
    });
  }

  return {
    use: async (queue, work) => {
      const now = await session();
      try {
        return await work(now);
      } catch (error) {
        throw problemOf(error, queue, now);
      }
    },
    stop: async () => {
      await link?.stop();
    },
  };
}

/** AMQP reply codes of a closed channel: https://www.rabbitmq.com/amqp-0-9-1-reference#constants */
const notFound = 404;
const resourceLocked = 405;
const preconditionFailed = 406;

function problemOf(error: unknown, queue: string, session: Session): unknown {
  const code = (error as { code?: unknown } | undefined)?.code;
  if (code === notFound) return new ProblemError('cola-no-encontrada', { values: { cola: queue } });
  if (code === resourceLocked || code === preconditionFailed) {
    return new ProblemError('cola-incompatible', { values: { cola: queue } });
  }
  if (session.signal.aborted || error instanceof SpareChannelTimeout) return unavailable(error);
  return error;
}

export function unavailable(cause?: unknown): ProblemError {
  return new ProblemError('rabbitmq-no-disponible', { headers: { 'retry-after': '5' }, cause });
}

import type { Logger } from 'pino';
import { type Link, type LinkState, openLink } from '../../runtime/amqp/link.ts';
import { type Session, SpareChannelTimeout } from '../../runtime/amqp/session.ts';
import { ProblemError } from '../http/problem.ts';

/**
 * A connection to RabbitMQ for what people ask of queues, apart from those that requests and answers travel by: nothing
 * that is done here can hold those up. It is opened when it is wanted for the first time.
 */
export interface Connection {
  /**
   * Does one thing on a channel of its own. What RabbitMQ refuses becomes the problem that it is.
   * @throws ProblemError `rabbitmq-no-disponible`, `cola-no-encontrada`, `cola-incompatible`
   */
  use<Result>(queue: string, work: (session: Session) => Promise<Result>): Promise<Result>;
  stop(): Promise<void>;
}

/** A broker that is there has answered long before. */
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

  /** Rejects at once when it is known that the broker is away, else after a while. */
  async function session(): Promise<Session> {
    link ??= open();
    const away = Promise.withResolvers<never>();
    const judge = (state: LinkState): void => {
      if (state.kind === 'connecting' && state.failure !== undefined) away.reject(unavailable());
    };
    judge(link.state);
    const unsubscribe = link.subscribe(judge);
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

/** What RabbitMQ says of a channel that it closes: https://www.rabbitmq.com/amqp-0-9-1-reference#constants */
const notFound = 404;
const lockedByAnother = 405;
const declaredOtherwise = 406;

function problemOf(error: unknown, queue: string, session: Session): unknown {
  const code = (error as { code?: unknown } | undefined)?.code;
  if (code === notFound) return new ProblemError('cola-no-encontrada', { values: { cola: queue } });
  if (code === lockedByAnother || code === declaredOtherwise) {
    return new ProblemError('cola-incompatible', { values: { cola: queue } });
  }
  if (session.signal.aborted || error instanceof SpareChannelTimeout) return unavailable(error);
  return error;
}

export function unavailable(cause?: unknown): ProblemError {
  return new ProblemError('rabbitmq-no-disponible', { headers: { 'retry-after': '5' }, cause });
}

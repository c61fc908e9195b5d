import { randomUUID } from 'node:crypto';
import { type Logger, pino } from 'pino';
import { decompress } from '../../../runtime/amqp/content-coding.ts';
import { createPublisher, type Publisher } from '../../../runtime/amqp/publisher.ts';
import type { Session } from '../../../runtime/amqp/session.ts';
import { createSubscriber } from '../../../runtime/amqp/subscriber.ts';
import {
  declareReplies,
  declareService,
  repliesQueue,
  requestsExchange,
} from '../../../runtime/amqp/topology.ts';
import {
  decodeReplyAddress,
  decodeResult,
  encodeWork,
  type WorkMessage,
  type WorkResult,
} from '../../../runtime/amqp/work-message.ts';
import { until } from '../processes/eventually.ts';

export const silent: Logger = pino({ level: 'silent' });

/** Returns a name for a service or a ledger that no other test uses. */
export const uniqueName = (): string => `prueba${randomUUID().replaceAll('-', '')}`;

/** Client that publishes requests to one service and consumes the replies, as a gateway does. */
export interface Requester {
  readonly publisher: Publisher;
  /** Publishes a request; resolves when it is confirmed. */
  send(id: string, request: unknown, more?: Partial<WorkMessage>): Promise<void>;
  /** Resolves with the first reply to an id, past or future. */
  result(id: string): Promise<WorkResult>;
  /** Returns the number of replies to an id so far. */
  replies(id: string): number;
  stop(): Promise<void>;
}

export async function startRequester(
  url: string,
  service: string,
  ledger = uniqueName(),
): Promise<Requester> {
  const replyTo = repliesQueue(ledger);
  const declare = async (session: Session): Promise<void> => {
    await declareService(session, service);
    await declareReplies(session, ledger);
  };
  const publisher = createPublisher({ url, name: 'archivero test requester', log: silent, declare });
  const results = new Map<string, { readonly first: PromiseWithResolvers<WorkResult>; count: number }>();
  const entry = (id: string) => {
    const known = results.get(id) ?? { first: Promise.withResolvers<WorkResult>(), count: 0 };
    results.set(id, known);
    return known;
  };
  const subscriber = createSubscriber({
    url,
    name: 'archivero test replies',
    log: silent,
    declare,
    queues: [
      {
        name: replyTo,
        prefetch: 100,
        async onDelivery(delivery) {
          const { id } = decodeReplyAddress(delivery);
          const result = decodeResult(await decompress(delivery));
          const known = entry(id);
          known.count += 1;
          known.first.resolve(result);
          delivery.ack();
        },
      },
    ],
  });
  publisher.start();
  subscriber.start();
  await until(publisher, () => publisher.usable);
  return {
    publisher,
    send: (id, request, more = {}) =>
      publisher.publish({
        exchange: requestsExchange,
        routingKey: service,
        ...encodeWork({
          id,
          type: 'prueba.v1.Eco/Repetir',
          request: JSON.stringify(request),
          replyTo,
          requestId: `peticion-${id}`,
          traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
          expiresAt: Date.now() + 3_600_000,
          attempt: 1,
          replyToken: `testigo-${id}`,
          ...more,
        }),
      }),
    result: (id) => entry(id).first.promise,
    replies: (id) => entry(id).count,
    async stop() {
      await subscriber.stop(0);
      await publisher.stop();
    },
  };
}

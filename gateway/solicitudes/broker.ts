import { createPublisher, type Publisher } from '../../runtime/amqp/publisher.ts';
import { declareService, queuesOf } from '../../runtime/amqp/topology.ts';
import type { Part } from '../../runtime/lifecycle.ts';
import type { BrokerAvailability } from './dispatcher.ts';
import { createReplies, type Replies, type RepliesDeps } from './replies.ts';

export interface BrokerOptions extends RepliesDeps {
  /** The names of the services whose queues are declared. */
  readonly services: readonly string[];
}

/** RabbitMQ, by two connections: one publishes requests, the other consumes replies. */
export interface Broker {
  readonly publisher: Publisher;
  readonly replies: Replies;
  readonly availability: BrokerAvailability;
  /** The queues that carry requests and replies. */
  readonly queues: readonly string[];
  readonly parts: readonly Part[];
}

/** Opens the connections to RabbitMQ. They connect when their parts start, and again after each loss. */
export function openBroker({ services, ...deps }: BrokerOptions): Broker {
  const publisher = createPublisher({
    url: deps.url,
    name: 'archivero gateway publisher',
    log: deps.log,
    declare: async (session) => {
      for (const service of services) await declareService(session, service);
    },
  });
  const replies = createReplies(deps);
  const availability: BrokerAvailability = {
    get usable() {
      return publisher.usable && replies.connected;
    },
    subscribe(listener) {
      const ends = [publisher, replies].map((connection) => connection.subscribe(listener));
      return () => {
        for (const end of ends) end();
      };
    },
  };
  const publishing = {
    name: 'publisher',
    start: async () => publisher.start(),
    stop: () => publisher.stop(),
  };
  return {
    publisher,
    replies,
    availability,
    queues: [...services.flatMap((service) => Object.values(queuesOf(service))), replies.queue],
    parts: [replies, publishing],
  };
}

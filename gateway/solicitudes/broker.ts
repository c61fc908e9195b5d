import type { LinkState } from '../../runtime/amqp/link.ts';
import { createPublisher, type Publisher } from '../../runtime/amqp/publisher.ts';
import { queuesOf } from '../../runtime/amqp/topology.ts';
import type { Part } from '../../runtime/lifecycle.ts';
import type { BrokerAvailability } from './dispatcher.ts';
import { createReplies, type Replies, type RepliesDeps } from './replies.ts';
import { createServiceQueues, type ServiceQueues } from './service-queues.ts';

export interface BrokerOptions extends RepliesDeps {
  /** The names of the services whose queues are declared. */
  readonly services: readonly string[];
}

/** RabbitMQ, by two connections: one publishes requests, the other consumes replies. */
export interface Broker {
  readonly publisher: Publisher;
  readonly replies: Replies;
  readonly serviceQueues: ServiceQueues;
  /** State of the worse of its two connections. */
  readonly state: LinkState;
  /** Whether a service's requests and their replies can go through RabbitMQ now. */
  availability(service: string): BrokerAvailability;
  /** The queues that carry requests and replies. */
  readonly queues: readonly string[];
  readonly parts: readonly Part[];
}

/** Opens the connections to RabbitMQ. They connect when their parts start, and again after each loss. */
export function openBroker({ services, ...deps }: BrokerOptions): Broker {
  const serviceQueues = createServiceQueues({ services, log: deps.log });
  const publisher = createPublisher({
    url: deps.url,
    name: 'archivero gateway publisher',
    log: deps.log,
    declare: async (session) => serviceQueues.follow(session),
  });
  const replies = createReplies(deps);
  const publishing = {
    name: 'publisher',
    start: async () => publisher.start(),
    stop: () => publisher.stop(),
  };
  return {
    publisher,
    replies,
    serviceQueues,
    get state() {
      return publisher.state.kind === 'ready' ? replies.state : publisher.state;
    },
    availability: (service) => ({
      get usable() {
        return publisher.usable && replies.connected && serviceQueues.declared(service);
      },
      subscribe(listener) {
        const ends = [publisher, replies, serviceQueues].map((part) => part.subscribe(listener));
        return () => {
          for (const end of ends) end();
        };
      },
    }),
    queues: [...services.flatMap((service) => Object.values(queuesOf(service))), replies.queue],
    parts: [replies, publishing],
  };
}

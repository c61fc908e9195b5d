import type { Logger } from 'pino';
import { Status } from '../../runtime/status.ts';
import type { TlsMaterial } from '../../runtime/tls.ts';
import { type Breaker, createBreaker } from './breaker.ts';
import { classify } from './classifier.ts';
import { createFeed, type Feed, type FeedDefinition } from './feed.ts';
import { createGrpcTransport } from './grpc-transport.ts';
import { checkHealth } from './health.ts';
import type { Resolved } from './resolver.ts';
import type { ProxyError } from './service-client.ts';
import { watchSilence } from './silence.ts';
import type { Failure, Transport } from './transport.ts';

/** Why a service is not reached: the failure, and what RFC 9209 calls it. */
export interface Cause {
  readonly failure: Failure;
  readonly proxyError: ProxyError;
}

/** One address of a service: its channel and its breaker. */
export interface Endpoint {
  readonly address: string;
  readonly transport: Transport;
  readonly breaker: Breaker<Cause>;
  /** What it tells of changes; undefined when nobody wants to know. */
  readonly feed: Feed | undefined;
  /** Calls in flight still get their answers. */
  close(): void;
}

export interface EndpointOptions {
  readonly probeIntervalMs: number;
  readonly probeDeadlineMs: number;
  readonly stuckMs: number | undefined;
  readonly tls: TlsMaterial | undefined;
  /** Heard, if there is one. */
  readonly feed: FeedDefinition | undefined;
  readonly now: () => number;
  readonly log: Logger;
  readonly onChange: () => void;
}

/** Connects to an address at once and keeps watching it: a peer that dies or freezes is noticed without a call. */
export function createEndpoint({ address, authority }: Resolved, options: EndpointOptions): Endpoint {
  const { probeIntervalMs, probeDeadlineMs, stuckMs, tls, now, log, onChange } = options;
  const transport = createGrpcTransport(address, { authority, tls, stuckMs });

  const breaker = createBreaker<Cause>({
    probe: async () => {
      const failure = await checkHealth(transport, probeDeadlineMs);
      return failure && { failure, proxyError: proxyErrorOf(failure) };
    },
    intervalMs: probeIntervalMs,
    now,
    onChange: (state, before) => {
      if (state.kind === 'open') {
        log.warn({ address, why: state.cause.failure.message }, 'the address cannot be reached');
      } else {
        const downMs = before.kind === 'open' ? Math.round(now() - before.since) : 0;
        log.info({ address, downMs }, 'the address can be reached again');
      }
      onChange();
    },
  });

  // A lost connection alone says little (servers close them when they like); a peer that then does not answer is gone.
  // And a connection that came up ends the wait for the next probe.
  transport.watch((state) => {
    if (state !== 'connecting') void breaker.check();
  });

  const endWatch = watchSilence({
    channel: transport,
    ask: () => void checkHealth(transport, probeDeadlineMs),
    onSilent: () => {
      breaker.open(silence);
      transport.cut();
    },
  });

  const { feed: definition } = options;
  const feed = definition && createFeed({ transport, definition, log, now });

  return {
    address,
    transport,
    breaker,
    feed,
    close: () => {
      feed?.stop();
      endWatch();
      breaker.stop();
      transport.close();
    },
  };
}

const silence: Cause = {
  failure: {
    code: Status.UNAVAILABLE,
    message: 'The peer is connected and sends nothing',
    origin: 'client',
    sent: false,
    cancelledByUs: false,
  },
  proxyError: 'connection_terminated',
};

function proxyErrorOf(failure: Failure): ProxyError {
  const classification = classify(failure);
  return classification.kind === 'unreachable' ? classification.proxyError : 'destination_unavailable';
}

import type { Logger } from 'pino';
import { Status } from '../../runtime/status.ts';
import type { TlsMaterial } from '../../runtime/tls.ts';
import { type Breaker, createBreaker } from './breaker.ts';
import { classify } from './classifier.ts';
import { createFeed, type Feed, type FeedMethod } from './feed.ts';
import { createGrpcTransport, type GrpcTransport } from './grpc-transport.ts';
import { checkHealth } from './health.ts';
import type { Resolved } from './resolver.ts';
import type { ProxyError } from './service-client.ts';
import { watchSilence } from './silence.ts';
import type { GrpcFailure } from './transport.ts';

/** Why a service is unreachable: the failure, and its RFC 9209 error type. */
export interface Cause {
  readonly failure: GrpcFailure;
  readonly proxyError: ProxyError;
}

/** An address of a service: its channel, breaker and feed. */
export interface Endpoint {
  readonly address: string;
  /** The name that the address was resolved from. */
  readonly authority: string | undefined;
  readonly transport: GrpcTransport;
  readonly breaker: Breaker<Cause>;
  /** Undefined when the service has no feed. */
  readonly feed: Feed | undefined;
  /** Closes the channel. Calls in flight still complete. */
  close(): void;
}

export interface EndpointOptions {
  readonly probeIntervalMs: number;
  readonly probeDeadlineMs: number;
  readonly stuckMs: number | undefined;
  readonly tls: TlsMaterial | undefined;
  /** The feed to follow, if any. */
  readonly feed: FeedMethod | undefined;
  readonly now: () => number;
  readonly log: Logger;
  readonly onChange: () => void;
  /** Called when the address answers a health check, whatever it says. */
  readonly onAnswer: () => void;
}

/** Connects to an address at once and monitors it. A dead or frozen peer is noticed without a call. */
export function createEndpoint({ address, authority }: Resolved, options: EndpointOptions): Endpoint {
  const { probeIntervalMs, probeDeadlineMs, stuckMs, tls, now, log, onChange, onAnswer } = options;
  const transport = createGrpcTransport(address, { authority, tls, stuckMs });

  const breaker = createBreaker<Cause>({
    probe: async () => {
      const failure = await checkHealth(transport, probeDeadlineMs);
      if (failure === undefined || failure.origin === 'server') onAnswer();
      return failure && { failure, proxyError: proxyErrorOf(failure) };
    },
    intervalMs: probeIntervalMs,
    now,
    onChange: (state, before) => {
      if (state.kind === 'open') {
        log.warn(
          { address, why: state.cause.failure.message },
          'address unreachable; calling the others until it is back',
        );
      } else {
        const downMs = before.kind === 'open' ? Math.round(now() - before.since) : 0;
        log.info({ address, downMs }, 'address reachable again; calling it as before');
      }
      onChange();
    },
  });

  // A lost connection alone says little, because servers close them at will: a probe decides. A new connection also ends
  // the wait for the next probe.
  transport.watch((state) => {
    if (state !== 'connecting') void breaker.check();
  });

  const endWatch = watchSilence({
    channel: transport,
    ask: () => void checkHealth(transport, probeDeadlineMs),
    onSilent: () => breaker.open(silence),
    onFrozen: transport.cut,
  });

  const { feed: method } = options;
  const feed = method && createFeed({ transport, method, log, now });

  return {
    address,
    authority,
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

function proxyErrorOf(failure: GrpcFailure): ProxyError {
  const classification = classify(failure);
  return classification.kind === 'unreachable' ? classification.proxyError : 'destination_unavailable';
}

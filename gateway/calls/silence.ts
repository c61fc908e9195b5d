import type { GrpcChannel } from './grpc-channel.ts';

export interface SilenceOptions {
  readonly channel: Pick<GrpcChannel, 'received'>;
  /** Sends the peer a request that it must answer, because nothing was received for a while. */
  readonly ask: () => void;
  /** Called when the peer has sent nothing for two seconds in spite of these requests: new calls should go elsewhere. */
  readonly onSilent: () => void;
  /** Called after five such seconds: calls in flight need not wait longer. */
  readonly onFrozen: () => void;
}

/** Milliseconds between two checks of the connection. */
export const checkIntervalMs = 250;
/** Checks without a byte between two requests to the peer. */
const checksBeforeAsking = 2;
/** Checks without a byte, two seconds, after which the peer is silent. */
const silentChecks = 8;
/** Milliseconds without a byte after which a peer is silent. */
export const silentMs = silentChecks * checkIntervalMs;
/** Checks without a byte, five seconds, after which the peer is frozen. */
const frozenChecks = 20;

/**
 * Detects a connected peer that sends nothing. A frozen peer keeps its connections but sends nothing; a busy one sends
 * late. It counts checks, not time, so that a pause of this process does not count against the peer.
 * @returns a function that stops the detection
 */
export function watchSilence({ channel, ask, onSilent, onFrozen }: SilenceOptions): () => void {
  let previous: number | undefined;
  let checks = 0;
  const timer = setInterval(() => {
    const { received } = channel;
    checks = received === undefined || received !== previous ? 0 : checks + 1;
    previous = received;
    if (checks === silentChecks) onSilent();
    else if (checks === frozenChecks) onFrozen();
    else if (checks > 0 && checks % checksBeforeAsking === 0) ask();
  }, checkIntervalMs).unref();
  return () => clearInterval(timer);
}

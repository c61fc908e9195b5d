import type { GrpcChannel } from './grpc-channel.ts';

export interface SilenceOptions {
  readonly channel: Pick<GrpcChannel, 'received'>;
  /** Sends the peer a request that it must answer, because nothing was received for a while. */
  readonly ask: () => void;
  /** Called when the peer has sent nothing for two seconds in spite of these requests. */
  readonly onSilent: () => void;
}

/** Milliseconds between two checks of the connection. */
export const lookMs = 250;
/** Checks without a byte between two requests to the peer. */
const checksBeforeAsking = 2;
/** Checks without a byte, two seconds, after which the peer is silent. */
const maxChecks = 8;

/**
 * Detects a connected peer that sends nothing. A frozen peer keeps its connections but sends nothing; a busy one sends
 * late. It counts checks, not time, so that a pause of this process does not count against the peer.
 * @returns a function that stops the detection
 */
export function watchSilence({ channel, ask, onSilent }: SilenceOptions): () => void {
  let previous: number | undefined;
  let checks = 0;
  const timer = setInterval(() => {
    const { received } = channel;
    checks = received === undefined || received !== previous ? 0 : checks + 1;
    previous = received;
    if (checks === maxChecks) onSilent();
    else if (checks > 0 && checks % checksBeforeAsking === 0) ask();
  }, lookMs).unref();
  return () => clearInterval(timer);
}

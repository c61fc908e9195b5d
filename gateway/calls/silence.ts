import type { GrpcChannel } from './grpc-channel.ts';

export interface SilenceOptions {
  readonly channel: Pick<GrpcChannel, 'received'>;
  /** Asks the peer for anything, because nothing has come for a while. */
  readonly ask: () => void;
  /** The peer has sent nothing for two seconds, although it was asked. */
  readonly onSilent: () => void;
}

/** Between two looks at the connection, milliseconds. */
export const lookMs = 250;
/** After so many looks without a byte the peer is asked, and again after as many. */
const asked = 2;
/** After so many looks without a byte, two seconds, the peer is silent. */
const silent = 8;

/**
 * Watches whether a connected peer still sends. A frozen peer keeps its connections and sends nothing; a busy one sends
 * late. Looks are counted, and not time: while this process is held up itself, nothing is counted against the peer.
 * @returns what ends the watch
 */
export function watchSilence({ channel, ask, onSilent }: SilenceOptions): () => void {
  let before: number | undefined;
  let looks = 0;
  const timer = setInterval(() => {
    const { received } = channel;
    looks = received === undefined || received !== before ? 0 : looks + 1;
    before = received;
    if (looks === silent) onSilent();
    else if (looks > 0 && looks % asked === 0) ask();
  }, lookMs).unref();
  return () => clearInterval(timer);
}

import type { Duplex } from 'node:stream';
import type { ChannelModel } from 'amqplib';

/**
 * Makes the frames that amqplib writes one by one in a turn of the event loop leave in one system call. Without Nagle's algorithm,
 * which would hold each back until the broker has acknowledged the packet before, each frame is a packet: sixty
 * acknowledgements cost us sixty writes, and the broker sixty reads.
 */
export function corkFrames({ connection }: ChannelModel): void {
  // The types do not know it: the socket.
  const { stream } = connection as unknown as { readonly stream: Duplex };
  const write = stream.write.bind(stream);
  let corked = false;
  const uncork = (): void => {
    corked = false;
    stream.uncork();
  };
  stream.write = ((...args: Parameters<typeof write>) => {
    if (!corked) {
      corked = true;
      stream.cork();
      process.nextTick(uncork);
    }
    return write(...args);
  }) as Duplex['write'];
}

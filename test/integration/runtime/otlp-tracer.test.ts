import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect } from 'chai';
import { pino } from 'pino';
import { createOtlpTracer } from '../../../runtime/tracing/otlp-tracer.ts';

const log = pino({ level: 'silent' });

describe('The tracer of a process', () => {
  it('stops before it has given up the last batch, while its receiver accepts connections and never answers', async () => {
    const receiver = createServer().listen(0, '127.0.0.1');
    await once(receiver, 'listening');
    const { port } = receiver.address() as AddressInfo;
    const tracer = createOtlpTracer({ endpoint: `http://127.0.0.1:${port}`, process: 'gateway', log });
    tracer.begin('GET /', 'server', '').end();
    const order: string[] = [];
    const connected = once(receiver, 'connection') as Promise<[Socket]>;
    const stopped = tracer.stop().then((sent) => {
      order.push(`stopped, sent: ${sent}`);
    });
    const [socket] = await connected;
    socket.resume();
    // The exporter closes the connection when the batch's time is up.
    await once(socket, 'close');
    order.push('gave up');
    await stopped;
    receiver.close();
    expect(order).to.deep.equal(['stopped, sent: false', 'gave up']);
  });
});

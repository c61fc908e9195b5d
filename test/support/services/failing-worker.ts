import { connect } from 'amqplib';
import { queuesOf } from '../../../runtime/amqp/topology.ts';
import { decodeWork, encodeReply } from '../../../runtime/amqp/work-message.ts';

/**
 * Consumes `count` requests from a service's queue and replies to each with `poison`, as the consumer of the quarantine
 * does. The queue must exist.
 */
export async function failRequests(url: string, service: string, count: number): Promise<void> {
  const connection = await connect(url);
  try {
    const channel = await connection.createConfirmChannel();
    await channel.prefetch(1);
    const enough = Promise.withResolvers<void>();
    let done = 0;
    await channel.consume(queuesOf(service).work, (message) => {
      if (message === null || done === count) return;
      const { id, replyToken, replyTo } = decodeWork(message);
      const { content, properties } = encodeReply({ id, replyToken, result: { kind: 'poison' } });
      channel.sendToQueue(replyTo, content, properties, (error) => {
        if (error) return enough.reject(error);
        channel.ack(message);
        done += 1;
        if (done === count) enough.resolve();
      });
    });
    await enough.promise;
    await channel.close();
  } finally {
    await connection.close();
  }
}

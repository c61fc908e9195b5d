/**
 * Makes the two hops of a solicitud with bare amqplib, in two processes: `node two-hops.ts requester|worker URL SERVICE
 * REPLIES`. The parent forks them and sends them commands. Prefetches and queues are like the product's.
 */
import { type Channel, type ConsumeMessage, connect } from 'amqplib';
import { encodeReply, encodeWork } from '../../../runtime/amqp/work-message.ts';

const [role, url = '', service = '', replies = ''] = process.argv.slice(2);
const work = `archivero.${service}.v1`;
const model = await connect(url);
const channel = await model.createConfirmChannel();
const report = (message: unknown): void => void process.send?.(message);

/** Returns a request as the gateway publishes it for a small listing. */
const request = (id: string) =>
  encodeWork({
    id,
    type: 'archivos.v1.ListadoService/ListarArchivos',
    request: '{"ruta":"no-12345"}',
    replyTo: replies,
    requestId: '0db9f1d0-252f-49b9-b184-b6700d503f11',
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    expiresAt: Date.now() + 86_400_000,
    attempt: 1,
    replyToken: 'AAAAAAAAAAAAAAAAAAAAAA',
  });
const answer = (id: string) =>
  encodeReply({
    id,
    replyToken: 'AAAAAAAAAAAAAAAAAAAAAA',
    result: { kind: 'status', code: 5, message: 'ruta-no-existe: «no-12345» does not exist' },
  });

/** Publishes a message; resolves when the broker confirms it. */
function publish(queue: string, { content, properties }: ReturnType<typeof request>): Promise<void> {
  return new Promise((resolve, reject) => {
    channel.publish('', queue, content, { ...properties, mandatory: true }, (error) =>
      error ? reject(error) : resolve(),
    );
  });
}

/** Consumes a queue; acknowledges each message after `take`. */
async function consume(
  queue: string,
  prefetch: number,
  take: (id: string) => Promise<void> | void,
): Promise<void> {
  const from: Channel = await model.createChannel();
  await from.prefetch(prefetch);
  const onMessage = async (message: ConsumeMessage): Promise<void> => {
    await take(String(message.properties.messageId));
    from.ack(message);
  };
  await from.consume(queue, (message) => {
    if (message !== null) void onMessage(message);
  });
}

async function sendAll(count: number): Promise<void> {
  const begun = performance.now();
  let next = 0;
  const publishInTurn = async (): Promise<void> => {
    for (let id = next++; id < count; id = next++) await publish(work, request(`id-${id}`));
  };
  await Promise.all(Array.from({ length: 256 }, publishInTurn));
  report({ publishedMs: performance.now() - begun });
  let received = 0;
  let first = 0;
  await consume(replies, 128, () => {
    first ||= performance.now();
    received += 1;
    if (received === count) report({ answeredMs: performance.now() - first });
  });
}

if (role === 'requester') process.once('message', (count: number) => void sendAll(count));
else {
  const prefetch = 64;
  process.once('message', () => void consume(work, prefetch, (id) => publish(replies, answer(id))));
}
process.once('disconnect', () => process.exit());
report('ready');

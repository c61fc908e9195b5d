/**
 * Bare amqplib doing what a solicitud does between gateway and service, in as many processes: `node two-hops.ts asker|worker
 * URL SERVICE REPLIES`, forked, told what to do by messages; with the prefetches of the house, on queues like its own.
 */
import { type Channel, type ConsumeMessage, connect } from 'amqplib';
import { encodeReply, encodeWork } from '../../../runtime/amqp/work-message.ts';

const [role, url = '', service = '', replies = ''] = process.argv.slice(2);
const work = `archivero.${service}.v1`;
const model = await connect(url);
const channel = await model.createConfirmChannel();
const tell = (what: unknown): void => void process.send?.(what);

/** What the gateway sends for a small listing. */
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

/** Publishes, and resolves on the confirm. */
function publish(queue: string, { content, properties }: ReturnType<typeof request>): Promise<void> {
  return new Promise((resolve, reject) => {
    channel.publish('', queue, content, { ...properties, mandatory: true }, (error) =>
      error ? reject(error) : resolve(),
    );
  });
}

/** Each message is acknowledged when `take` is done with it. */
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

async function ask(count: number): Promise<void> {
  const begun = performance.now();
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let id = next++; id < count; id = next++) await publish(work, request(`id-${id}`));
  };
  await Promise.all(Array.from({ length: 256 }, lane));
  tell({ publishedMs: performance.now() - begun });
  let got = 0;
  let first = 0;
  await consume(replies, 128, () => {
    first ||= performance.now();
    got += 1;
    if (got === count) tell({ answeredMs: performance.now() - first });
  });
}

if (role === 'asker') process.once('message', (count: number) => void ask(count));
else {
  const prefetch = 64;
  process.once('message', () => void consume(work, prefetch, (id) => publish(replies, answer(id))));
}
process.once('disconnect', () => process.exit());
tell('ready');

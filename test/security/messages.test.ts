import { once } from 'node:events';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { connect } from 'amqplib';
import { expect } from 'chai';
import { ListadoServiceDefinition } from '../../proto/gen/archivos/v1/listado.ts';
import { grpcServiceOf } from '../../runtime/grpc/service.ts';
import { eventually } from '../support/processes/eventually.ts';
import { ownVhost, setUp } from '../support/processes/set-up.ts';
import { sharedRabbit } from '../support/servers/rabbitmq.ts';
import { emptyPage } from '../support/services/listado-server.ts';

const hostile = {
  authorization: 'Bearer secreto-de-ana',
  cookie: 'sesion=secreto-de-ana',
  'x-en-cola': '1',
  'x-testigo': 'mine',
  'x-vence': '1',
  'x-intento': '99',
  'grpc-timeout': '1n',
  'grpc-encoding': 'gzip',
  'x-request-id': 'bad id with spaces',
  traceparent: '00-zz-zz-01',
  tracestate: 'a=b',
  baggage: 'secreto=1',
};

describe('Messages between the processes', () => {
  it("carry none of the client's header fields over gRPC", async () => {
    const seen: Record<string, unknown>[] = [];
    const server = new Server();
    server.addService(grpcServiceOf(ListadoServiceDefinition), {
      listarArchivos: (
        call: { metadata: { getMap(): Record<string, unknown> } },
        callback: (e: null, r: object) => void,
      ) => {
        seen.push(call.metadata.getMap());
        callback(null, emptyPage);
      },
    } as never);
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (err, bound) =>
        err ? reject(err) : resolve(bound),
      );
    });
    try {
      await using archivero = await setUp({
        running: ['gateway'],
        env: { RABBITMQ_URL: '', MSERV1_URL: `127.0.0.1:${port}` },
      });
      expect((await archivero.get('/listar_archivos', hostile)).status).to.equal(200);
      const [metadata = {}] = seen;
      expect(Object.keys(metadata)).to.have.members(['x-request-id', 'traceparent', 'user-agent']);
      expect(metadata['x-request-id']).to.match(/^[0-9a-f-]{36}$/);
      expect(metadata['traceparent']).to.match(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
      expect(JSON.stringify(metadata)).not.to.include('secreto');
    } finally {
      server.forceShutdown();
    }
  });

  describe('through RabbitMQ', () => {
    it("carry none of the client's header fields, and forged or repeated replies are dropped and counted", async () => {
      const { url } = await ownVhost(await sharedRabbit());
      await using archivero = await setUp({ running: ['gateway'], env: { RABBITMQ_URL: url } });
      const connection = await connect(url);
      try {
        const channel = await connection.createConfirmChannel();
        const answer = await archivero.get('/listar_archivos', hostile);
        const { solicitud } = (await answer.json()) as { solicitud: { id: string } };
        const state = async (): Promise<string> => {
          const description = (await (await archivero.get(`/solicitudes/${solicitud.id}`)).json()) as {
            solicitud: { estado: string };
          };
          return description.solicitud.estado;
        };
        await eventually(async () => (await state()) === 'encolada');
        const message = await channel.get('archivero.mserv1.v1', { noAck: true });
        if (message === false) throw new Error('The queue is empty');
        const { properties, content } = message;
        expect(Object.keys(properties.headers ?? {})).to.have.members([
          ...['traceparent', 'x-request-id', 'x-vence', 'x-intento', 'x-publicacion', 'x-testigo'],
          // RabbitMQ adds this one.
          'x-delivery-count',
        ]);
        expect(properties.headers?.['x-intento']).to.equal(1);
        expect(properties.headers?.['x-testigo']).not.to.equal('mine');
        expect(Number(properties.headers?.['x-vence'])).to.be.greaterThan(Date.now());
        expect(JSON.stringify(properties) + content).not.to.include('secreto');

        const replyToken: string = properties.headers?.['x-testigo'];
        const empty = JSON.stringify({ completo: true });
        const send = async (
          body: string,
          correlationId: string | undefined,
          headers: object,
        ): Promise<void> => {
          const options = {
            contentType: 'application/json',
            headers,
            ...(correlationId && { correlationId }),
          };
          channel.sendToQueue(properties.replyTo, Buffer.from(body), options);
          await channel.waitForConfirms();
        };
        const dropped = async (): Promise<Record<string, number>> => {
          const text = await (await archivero.get('/metrics')).text();
          const lines = text.matchAll(/^archivero_replies_dropped_total\{reason="(\w+)"\} (\d+)$/gm);
          return Object.fromEntries([...lines].map(([, reason, count]) => [reason, Number(count)]));
        };
        const forged = { 'grpc-status': 0, 'x-testigo': 'forged' };
        await send(empty, solicitud.id, forged);
        await send(empty, solicitud.id, { 'grpc-status': 0 });
        await send(empty, solicitud.id, { 'x-estado': 'fallida', 'x-testigo': 'forged' });
        await send(empty, '019a0000-0000-7000-8000-000000000000', { ...forged, 'x-testigo': replyToken });
        await send(empty, "' OR 1=1 --", forged);
        await send(empty, undefined, forged);
        await eventually(async () => Object.values(await dropped()).reduce((sum, n) => sum + n, 0) === 6);
        expect(await dropped()).to.include({ witness: 2, unknown: 2, malformed: 2 });
        expect(await state()).to.equal('encolada');

        await send(empty, solicitud.id, { 'grpc-status': 0, 'x-testigo': replyToken });
        await eventually(async () => (await state()) === 'completada');
        const first = await (await archivero.get(`/solicitudes/${solicitud.id}/respuesta`)).text();
        // The reply is repeated, then sent with other contents.
        await send(empty, solicitud.id, { 'grpc-status': 0, 'x-testigo': replyToken });
        await send('', solicitud.id, {
          'grpc-status': 5,
          'grpc-message': 'replayed',
          'x-testigo': replyToken,
        });
        await eventually(async () => (await dropped())['closed'] === 2);
        expect(await (await archivero.get(`/solicitudes/${solicitud.id}/respuesta`)).text()).to.equal(first);
        expect(await state()).to.equal('completada');
        const logged = JSON.stringify([...archivero.processes.values()].map(({ lines }) => lines));
        expect(logged).not.to.include('secreto').and.not.include(replyToken);
      } finally {
        const closed = once(connection, 'close');
        await connection.close();
        await closed.catch(() => undefined);
      }
    });
  });
});

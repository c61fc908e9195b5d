import { readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { LogLine } from '../../support/processes/processes.ts';
import { runPython, spawnPython } from '../../support/processes/python.ts';
import { ownVhost, type Permissions, type SetUp, setUp } from '../../support/processes/set-up.ts';
import { sharedRabbit } from '../../support/servers/rabbitmq.ts';

/** A reply as amqp-client.py tells it. */
interface Told {
  readonly status: number;
  readonly message: string | null;
  readonly 'same id': boolean;
  readonly token: string | null;
  readonly names: readonly string[] | null;
}

const document = new URL('../../../docs/wire.md', import.meta.url);

/** Reads the permissions of a role from the document's table. */
function permissionsOf(role: string): Permissions {
  const row = readFileSync(document, 'utf8')
    .split('\n')
    .find((line) => line.startsWith(`| ${role} | \``));
  const [configure = '', write = '', read = ''] = [...(row ?? '').matchAll(/`([^`]+)`/g)].map(
    ([, cell = '']) => `^(${cell.replaceAll('\\|', '|').replaceAll('SERVICE', 'mserv1')})$`,
  );
  return { configure, write, read };
}

const ok = [
  ...['least', 'all', 'headers as byte arrays', 'headers of other types', 'proto names and numbers as text'],
  ...['message_id only', 'byte order mark', 'least again', 'direct reply-to'],
];
const unimplemented = ['unknown type', 'stream', 'type with a slash before it'];

describe('docs/wire.md', () => {
  it('is enough for a client: the service answers each request, or tells in its log why it cannot', async () => {
    const vhost = await ownVhost(await sharedRabbit());
    await using archivero = await setUp({ running: ['mserv1'], env: { RABBITMQ_URL: vhost.url } });
    writeFileSync(join(archivero.root, 'a.txt'), '');
    const mserv1 = archivero.processes.get('mserv1');
    await mserv1?.waitFor(({ msg }) => msg === 'connected to RabbitMQ');
    const url = await vhost.user(permissionsOf('client'));
    const replies = await runPython('test/support/clients/amqp-client.py', [url]);
    const found = new Map(Object.entries(replies as Record<string, Told>));

    const statusOf = (name: string): number => {
      if (ok.includes(name)) return 0;
      if (unimplemented.includes(name)) return 12;
      return name === 'no folder' ? 5 : 3;
    };
    const statuses = [...found].map(([name, { status }]) => [name, status]);
    expect(statuses).to.deep.equal([...found.keys()].map((name) => [name, statusOf(name)]));
    expect(ok.map((name) => found.get(name)?.names)).to.deep.equal(ok.map(() => ['a.txt']));
    expect([found.get('all')?.token, found.get('headers as byte arrays')?.token]).to.deep.equal(['t', 'ñ']);
    const foreign = [...found].filter(([, told]) => !told['same id']);
    expect(foreign.map(([name]) => name)).to.deep.equal(['message_id only', 'no id', 'id not UTF-8']);
    expect(found.get('text for a number')?.message).to.include('limite').and.include('muchos');
    const problems = (mserv1?.lines ?? []).filter(({ level }) => level === 'error');
    expect(problems.map(({ msg, reason }) => `${msg}: ${reason}`)).to.deep.equal([
      'a message that cannot be answered was dropped: reply_to is missing',
      'a message that cannot be answered was dropped: reply_to is not UTF-8',
    ]);
  });

  describe('is enough for a service', () => {
    let archivero: SetUp;
    let service: ReturnType<typeof spawnPython>;

    before(async () => {
      const vhost = await ownVhost(await sharedRabbit());
      const url = await vhost.user(permissionsOf('gateway'));
      archivero = await setUp({ running: ['gateway'], env: { RABBITMQ_URL: url } });
      for (const name of ['año.txt', 'b']) {
        writeFileSync(join(archivero.root, name), name);
        utimesSync(join(archivero.root, name), 1_800_000_000, 1_800_000_000);
      }
      const serviceUrl = await vhost.user(permissionsOf('service'));
      service = spawnPython('test/support/clients/amqp-service.py', [serviceUrl, archivero.root]);
      await service.waitFor(({ msg }) => msg === 'ready');
    });
    after(async () => {
      await service.kill();
      await archivero[Symbol.asyncDispose]();
    });

    interface Outcome {
      readonly estado: string;
      readonly status: number;
      readonly body: string;
      /** Log lines about the request that are no mere information. */
      readonly problems: readonly LogLine[];
    }

    async function outcomeOf(ruta: string): Promise<Outcome> {
      const accepted = await archivero.get(`/listar_archivos?ruta=${ruta}`);
      expect(accepted.status).to.equal(202);
      const { solicitud, enlaces } = (await accepted.json()) as {
        readonly solicitud: { readonly id: string };
        readonly enlaces: { readonly estado: string; readonly respuesta: string };
      };
      let answer: Response;
      do answer = await archivero.get(enlaces.respuesta, { prefer: 'wait=50' });
      while (answer.status === 202);
      const state = (await (await archivero.get(enlaces.estado)).json()) as {
        readonly solicitud: { readonly estado: string };
      };
      const lines = archivero.processes.get('gateway')?.lines ?? [];
      return {
        estado: state.solicitud.estado,
        status: answer.status,
        body: await answer.text(),
        problems: lines.filter(({ id, level }) => id === solicitud.id && level !== 'info'),
      };
    }
    const attempts = (ruta: string): number =>
      service.lines.filter(({ msg }) => msg?.includes(` ${ruta} `)).length;

    const answered: Readonly<Record<string, number>> = {
      'estado-en-texto': 200,
      'cabeceras-en-bytes': 404,
      'campo-nuevo': 200,
      'sin-tipo-de-contenido': 200,
      gzip: 200,
      'estado-desconocido': 500,
      'no-hay-«año»': 404,
    };
    for (const [ruta, status] of Object.entries(answered)) {
      it(`answers ${status}, at the first attempt: ${ruta}`, async () => {
        expect(await outcomeOf(ruta)).to.deep.include({ estado: 'completada', status, problems: [] });
        expect(attempts(ruta)).to.equal(1);
      });
    }

    const unreadable: Readonly<Record<string, RegExp>> = {
      'bytes-en-letras': /bytes.*muchos/,
      'completo-en-letras': /completo/,
      'una-lista': /ListarArchivosResponse/,
      'sin-json': /JSON/,
      'sin-utf-8': /UTF-8/,
      'otro-tipo-de-contenido': /content_type/,
      comprimido: /gzip/,
      'otra-compresion': /content_encoding/,
      'estado-en-letras': /grpc-status/,
      'sin-estado': /grpc-status/,
      'x-estado-desconocido': /grpc-status/,
    };
    for (const [ruta, reason] of Object.entries(unreadable)) {
      it(`ends as fallida, and its log tells the reason: ${ruta}`, async () => {
        const { estado, status, problems } = await outcomeOf(ruta);
        expect({ estado, status }).to.deep.equal({ estado: 'fallida', status: 502 });
        expect(problems.map(({ msg }) => msg)).to.deep.equal(['reply unreadable; closing as fallida']);
        expect(problems[0]?.['err']).to.have.property('message').that.matches(reason);
        expect(attempts(ruta)).to.equal(1);
      });
    }

    for (const ruta of ['ahora-no', 'me-paro']) {
      it(`asks again when the service could not work, and its log tells it: ${ruta}`, async () => {
        const { status, problems } = await outcomeOf(ruta);
        expect(status).to.equal(404);
        expect(problems.map(({ msg }) => msg)).to.deep.equal([
          'the service could not answer; the request stays open',
        ]);
        expect(attempts(ruta)).to.be.greaterThan(1);
      });
    }

    const stray = ['sin-testigo', 'testigo-ajeno', 'testigo-en-numero', 'id-ajeno', 'id-con-nulo'];
    for (const ruta of [...stray, 'id-sin-utf-8', 'sin-id']) {
      it(`drops a reply that is not the request's, and its log tells it: ${ruta}`, async () => {
        const lines = archivero.processes.get('gateway')?.lines ?? [];
        const before = lines.length;
        expect(await outcomeOf(ruta)).to.include({ estado: 'completada', status: 404 });
        const problems = lines.slice(before).filter(({ level }) => level !== 'info');
        expect(problems).to.have.length(1);
        expect(problems[0]?.msg).to.include('reply dropped');
      });
    }

    it('gives the answer that mserv1 gives', async () => {
      const { body } = await outcomeOf('');
      await archivero.start('mserv1');
      let direct: Response;
      do direct = await archivero.get('/listar_archivos');
      while (direct.status === 202);
      const text = await direct.text();
      expect(text).to.include('año.txt').and.equal(body);
    });
  });
});

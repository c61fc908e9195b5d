import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { eventsIn } from '../support/clients/event-stream.ts';
import { accepted, answerAt, identityOf } from '../support/ledger/accepted.ts';
import { eventually } from '../support/processes/eventually.ts';
import { ownVhost, type SetUp, setUp, stablePort } from '../support/processes/set-up.ts';
import { sharedPostgres, startPostgres } from '../support/servers/postgres.ts';
import { sharedRabbit } from '../support/servers/rabbitmq.ts';

interface Pair extends AsyncDisposable {
  /** Runs mserv1 too. */
  readonly one: SetUp;
  readonly two: SetUp;
}

/** Starts two gateways over one database and with the same services. */
async function pair(rabbitmqUrl: string): Promise<Pair> {
  const database = await (await sharedPostgres()).database();
  const mserv1 = String(await stablePort());
  const env = {
    LEDGER_URL: database,
    RABBITMQ_URL: rabbitmqUrl,
    MSERV1_PORT: mserv1,
    MSERV1_URL: `127.0.0.1:${mserv1}`,
  };
  const [one, two] = await Promise.all([
    setUp({ running: ['gateway'], env }),
    setUp({ running: ['gateway'], env }),
  ]);
  return {
    one,
    two,
    [Symbol.asyncDispose]: async () => {
      await two[Symbol.asyncDispose]();
      await one[Symbol.asyncDispose]();
    },
  };
}

function folders({ root }: SetUp, count: number): readonly string[] {
  return Array.from({ length: count }, (_, n) => {
    mkdirSync(join(root, `carpeta ${n}`));
    writeFileSync(join(root, `carpeta ${n}`, `fichero ${n}.txt`), 'x'.repeat(n));
    return `/listar_archivos?ruta=carpeta+${n}`;
  });
}

const stateOf = async (it: SetUp, answerPath: string) => {
  const answer = await it.get(answerPath.replace('/respuesta', ''));
  const { solicitud } = (await answer.json()) as { solicitud: { estado: string; intentos: number } };
  return solicitud;
};

describe('Gateways over one database', () => {
  for (const broker of ['RabbitMQ', 'no broker'] as const) {
    it(`answer the solicitudes of each other, with ${broker}`, async () => {
      const url = broker === 'RabbitMQ' ? (await ownVhost(await sharedRabbit())).url : '';
      await using gateways = await pair(url);
      const { one, two } = gateways;
      const paths = folders(one, 40);
      const answerPaths = await Promise.all(paths.map((path, n) => accepted(n % 2 === 0 ? one : two, path)));
      // Each answer is awaited at the gateway that did not accept the request.
      const waiting = answerPaths.map((path, n) => answerAt(n % 2 === 0 ? two : one, path));
      if (broker === 'RabbitMQ') {
        for (const path of answerPaths) {
          await eventually(async () => (await stateOf(two, path)).estado === 'encolada');
          // The other gateway has not published it again.
          expect(await stateOf(two, path)).to.include({ intentos: 1 });
        }
      }
      await one.start('mserv1');
      for (const [n, answer] of (await Promise.all(waiting)).entries()) {
        expect(answer.status, paths[n]).to.equal(200);
        const identity = await identityOf(answer);
        expect(identity.body).to.contain(`fichero ${n}.txt`);
        for (const it of [one, two]) {
          expect(await identityOf(await it.get(answerPaths[n] ?? ''))).to.deep.equal(identity);
          expect(await stateOf(it, answerPaths[n] ?? '')).to.include({ estado: 'completada' });
        }
      }
      const unknown = await two.get('/solicitudes/019a0000-0000-7000-8000-000000000000');
      expect(unknown.status).to.equal(404);
    });

    it(`finish the requests that one accepted before kill -9, with ${broker}`, async () => {
      const url = broker === 'RabbitMQ' ? (await ownVhost(await sharedRabbit())).url : '';
      await using gateways = await pair(url);
      const { one, two } = gateways;
      const paths = folders(one, 60);
      const answerPaths = await Promise.all(paths.slice(0, 30).map((path) => accepted(one, path)));
      await one.start('mserv1');
      // The gateway is killed amid claims, publishes, calls and replies.
      const acceptedLater = paths.slice(30).map((path) => accepted(one, path, { prefer: 'respond-async' }));
      answerPaths.push(...(await Promise.all(acceptedLater)));
      await one.end('gateway');
      for (const path of answerPaths) expect((await answerAt(two, path)).status).to.equal(200);
      for (const path of answerPaths) expect(await stateOf(two, path)).to.include({ estado: 'completada' });
    });
  }

  it('stream the events of a solicitud that the other accepted', async () => {
    const { url } = await ownVhost(await sharedRabbit());
    await using gateways = await pair(url);
    const { one, two } = gateways;
    const answerPath = await accepted(one, '/listar_archivos');
    const events: unknown[] = [];
    for await (const { id, data } of eventsIn(await two.get(answerPath.replace('/respuesta', '/eventos')))) {
      events.push([id, (data as { estado: string }).estado]);
      if (events.length === 2) await one.start('mserv1');
    }
    expect(events).to.deep.equal([
      ['0', 'aceptada'],
      ['1', 'encolada'],
      ['2', 'completada'],
    ]);
  });

  it('share Idempotency-Keys, also for simultaneous requests', async () => {
    await using gateways = await pair('');
    const ids = await Promise.all(
      Array.from({ length: 20 }, async (_, n) => {
        const { one, two } = gateways;
        return accepted(n % 2 === 0 ? one : two, '/listar_archivos', { 'idempotency-key': 'una' });
      }),
    );
    expect(new Set(ids).size).to.equal(1);
    const other = await gateways.two.get('/buscar_archivos', { 'idempotency-key': 'una' });
    expect(other.status).to.equal(422);
  });

  it('end a request that waits at one when the other cancels its solicitud', async () => {
    await using gateways = await pair('');
    const { one, two } = gateways;
    const answerPath = await accepted(one, '/listar_archivos');
    const waiting = two.get(answerPath, { prefer: 'wait=50' });
    const cancelled = await fetch(one.url + answerPath.replace('/respuesta', ''), { method: 'DELETE' });
    expect(cancelled.status).to.equal(200);
    expect((await waiting).status).to.equal(410);
  });

  it('answer 503 while their database is away, and accept again when it is back', async () => {
    const postgres = await startPostgres();
    try {
      await using it = await setUp({
        running: ['gateway', 'mserv2'],
        env: { LEDGER_URL: await postgres.database(), RABBITMQ_URL: '' },
      });
      const answerPath = await accepted(it, '/listar_archivos');
      await postgres.kill();
      const refused = await it.get('/listar_archivos');
      expect(refused.status).to.equal(503);
      expect(refused.headers.get('retry-after')).to.not.equal(null);
      expect(await refused.json()).to.include({ type: '/problemas/registro-no-disponible' });
      expect((await it.get('/salud/preparada')).status).to.equal(503);
      // A direct call needs no database.
      expect((await it.get('/buscar_archivos')).status).to.equal(200);
      await postgres.restart();
      await it.start('mserv1');
      expect((await answerAt(it, answerPath)).status).to.equal(200);
      expect((await it.get('/salud/preparada')).status).to.equal(200);
    } finally {
      await postgres.stop();
    }
  });
});

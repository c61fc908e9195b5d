import { chmodSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { openLive } from '../support/clients/live-client.ts';
import { eventually } from '../support/processes/eventually.ts';
import { setUp } from '../support/processes/set-up.ts';
import { unprivilegedUid } from '../support/processes/unprivileged.ts';

const services = ['mserv1', 'mserv2'] as const;
const paths = ['/listar_archivos', '/buscar_archivos?nombre=x'];
const reason = 'raiz-no-disponible';
const proxyStatus =
  /^archivero; error=destination_unavailable; next-hop="127\.0\.0\.1:\d+"; details="raiz-no-disponible"$/;

interface Salud {
  readonly estado: string;
  readonly servicios: Readonly<
    Record<
      (typeof services)[number],
      { readonly estado: string; readonly direcciones: readonly { readonly motivo?: string }[] }
    >
  >;
}

/** Status and `motivo` of an answer. */
type Answered = readonly [number, string | undefined];

/** Ways to make a root unavailable, and to undo it. */
const ways = [
  {
    name: 'that is moved away',
    begin: (root: string) => renameSync(root, `${root}-otra`),
    end: (root: string) => renameSync(`${root}-otra`, root),
  },
  {
    name: 'that the services may not read',
    begin: (root: string) => chmodSync(root, 0o000),
    end: (root: string) => chmodSync(root, 0o755),
  },
];

describe('A root', () => {
  for (const { name, begin, end } of ways) {
    it(`${name} is told by /salud, a warning, every 202 and 503, until it is back`, async () => {
      // File permissions do not bind root, which CI runs as.
      const uid = process.getuid?.() === 0 ? unprivilegedUid : undefined;
      await using it = await setUp({ running: [], ...(uid !== undefined && { serviceUid: uid }) });
      writeFileSync(join(it.root, 'x'), '');
      chmodSync(it.root, 0o755);
      for (const process of [...services, 'gateway'] as const) await it.start(process);
      const salud = async () => (await (await it.get('/salud')).json()) as Salud;
      const motivos = async () => {
        const { servicios } = await salud();
        return services.map((service) => servicios[service].direcciones[0]?.motivo);
      };
      const ask = async (path: string, accept = 'application/json'): Promise<Answered> => {
        const answer = await it.get(path, { 'cache-control': 'no-cache', accept });
        if (answer.status !== 200) expect(answer.headers.get('proxy-status'), path).to.match(proxyStatus);
        if (answer.headers.get('content-type')?.startsWith('application/x-ndjson')) {
          await answer.text();
          return [answer.status, undefined];
        }
        return [answer.status, ((await answer.json()) as { motivo?: string }).motivo];
      };
      const isTold = async () => {
        for (const path of paths) {
          expect(await ask(path), path).to.deep.equal([202, reason]);
          expect(await ask(path, 'application/x-ndjson'), path).to.deep.equal([503, reason]);
          const head = await fetch(`${it.url}${path}`, { method: 'HEAD' });
          expect(head.status).to.equal(503);
          expect(head.headers.get('proxy-status')).to.match(proxyStatus);
        }
        using live = await openLive(it.url);
        live.ask({ nombre: 'x' });
        expect([await live.closed, live.closeReason]).to.deep.equal([1013, reason]);
      };
      const warned = (service: (typeof services)[number]) =>
        it.processes
          .get(service)
          ?.waitFor(({ level, msg }) => level === 'warn' && /^root unavailable/.test(msg ?? ''));

      await eventually(async () => (await salud()).estado === 'sano');
      for (const path of paths) await eventually(async () => (await ask(path))[0] === 200);
      begin(it.root);
      try {
        for (const service of services) await warned(service);
        expect(await motivos()).to.deep.equal([reason, reason]);
        expect((await salud()).estado).to.equal('degradado');
        expect((await salud()).servicios.mserv1.estado).to.equal('caido');
        await isTold();

        // A gateway that starts now knows it from the health check alone.
        await it.end('gateway');
        await it.start('gateway');
        await isTold();
      } finally {
        end(it.root);
      }
      for (const path of paths) await eventually(async () => (await ask(path))[0] === 200);
      await eventually(async () => (await salud()).estado === 'sano');
      expect(await motivos()).to.deep.equal([undefined, undefined]);
    });
  }
});

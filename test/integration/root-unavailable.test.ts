import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { eventually } from '../support/processes/eventually.ts';
import { setUp } from '../support/processes/set-up.ts';

const services = ['mserv1', 'mserv2'] as const;
const paths = ['/listar_archivos', '/buscar_archivos?nombre=x'];
const reason = 'raiz-no-disponible';

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

describe('A root that cannot be opened', () => {
  it('is told by /salud, by every 202 and by a warning, and all of them end when it is back', async () => {
    await using it = await setUp();
    writeFileSync(join(it.root, 'x'), '');
    const salud = async () => (await (await it.get('/salud')).json()) as Salud;
    const motivos = async () => {
      const { servicios } = await salud();
      return services.map((name) => servicios[name].direcciones[0]?.motivo);
    };
    const ask = async (path: string): Promise<Answered> => {
      const answer = await it.get(path, { 'cache-control': 'no-cache' });
      return [answer.status, ((await answer.json()) as { motivo?: string }).motivo];
    };
    const warned = (name: (typeof services)[number]) =>
      it.processes
        .get(name)
        ?.waitFor(({ level, msg }) => level === 'warn' && /^root unavailable/.test(msg ?? ''));

    await eventually(async () => (await salud()).estado === 'sano');
    renameSync(it.root, `${it.root}-otra`);
    try {
      for (const name of services) await warned(name);
      expect(await motivos()).to.deep.equal([reason, reason]);
      expect((await salud()).estado).to.equal('degradado');
      expect((await salud()).servicios.mserv1.estado).to.equal('caido');
      for (const path of paths) expect(await ask(path), path).to.deep.equal([202, reason]);

      // A gateway that starts now knows it from the health check alone.
      await it.end('gateway');
      await it.start('gateway');
      for (const path of paths) expect(await ask(path), path).to.deep.equal([202, reason]);
    } finally {
      renameSync(`${it.root}-otra`, it.root);
    }
    for (const path of paths) await eventually(async () => (await ask(path))[0] === 200);
    await eventually(async () => (await salud()).estado === 'sano');
    expect(await motivos()).to.deep.equal([undefined, undefined]);
  });
});

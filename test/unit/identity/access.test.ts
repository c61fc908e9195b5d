import { expect } from 'chai';
import { accessTo } from '../../../gateway/identity/access.ts';

describe('what a path asks for', () => {
  const access = (path: string) => accessTo(path, new Set(['/buscar_archivos/en_vivo']));

  for (const path of [
    '/',
    '/salud/viva',
    '/readyz',
    '/login',
    '/docs',
    '/docs/x.js',
    '/buscar_archivos/en_vivo',
  ]) {
    it(`nothing: ${path}`, () => expect(access(path)).to.equal('open'));
  }

  // As the router takes them: it minds neither case nor a slash at the end.
  for (const path of [
    '/colas',
    '/colas/',
    '/COLAS',
    '/Colas/x/mensajes',
    '/apis/queue/push',
    '/apis/QUEUE/pop/',
  ]) {
    it(`colas:admin: ${path}`, () => expect(access(path)).to.equal('colas:admin'));
  }

  it('is found at once, however many slashes a path has', () => {
    const path = `${'/'.repeat(15_000)}x`;
    const begun = performance.now();
    expect(access(path)).to.equal('archivos:leer');
    expect(performance.now() - begun).to.be.below(50);
  });

  for (const path of [
    '/listar_archivos',
    '/salud',
    '/salud/',
    '/SALUD',
    '/metrics',
    '/nada',
    '/docsx',
    '/webx/y',
    '/solicitudes/en_vivo',
    '/colasx',
    '/login/x',
    '*',
  ]) {
    it(`archivos:leer: ${path}`, () => expect(access(path)).to.equal('archivos:leer'));
  }
});

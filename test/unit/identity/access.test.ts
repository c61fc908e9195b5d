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

  // In a tenth of a millisecond; a pattern that takes the square of their number takes ten seconds and more.
  it('is found in one look, however many slashes a path has', () => {
    expect(access(`${'/'.repeat(100_000)}x`)).to.equal('archivos:leer');
  }).timeout(5_000);

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

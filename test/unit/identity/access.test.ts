import { expect } from 'chai';
import { accessTo } from '../../../gateway/identity/access.ts';

describe('the access that a path requires', () => {
  const access = (path: string) => accessTo(path, new Set(['/buscar_archivos/en_vivo']));

  for (const path of [
    '/',
    '/salud/viva',
    '/readyz',
    '/login',
    '/docs',
    '/docs/x.js',
    '/problemas/error-interno',
    '/buscar_archivos/en_vivo',
  ]) {
    it(`is open for ${path}`, () => expect(access(path)).to.equal('open'));
  }

  // Like the router, it ignores case and a trailing slash.
  for (const path of [
    '/colas',
    '/colas/',
    '/COLAS',
    '/Colas/x/mensajes',
    '/apis/queue/push',
    '/apis/QUEUE/pop/',
  ]) {
    it(`is colas:admin for ${path}`, () => expect(access(path)).to.equal('colas:admin'));
  }

  // Takes a millisecond. A pattern with quadratic time takes more than a quarter of an hour, longer than a test may.
  it('is found in linear time for a path of a million slashes', () => {
    expect(access(`${'/'.repeat(1_000_000)}x`)).to.equal('archivos:leer');
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
    it(`is archivos:leer for ${path}`, () => expect(access(path)).to.equal('archivos:leer'));
  }
});

import { barePath } from '../http/bare-path.ts';
import type { Scope } from './scopes.ts';

/** The access that a path requires: a scope, or `open` for none. */
export type RequiredAccess = Scope | 'open';

const open: ReadonlySet<string> = new Set([
  '',
  '/salud/viva',
  '/healthz',
  '/salud/preparada',
  '/readyz',
  '/login',
  '/.well-known/jwks.json',
  '/openapi.json',
  '/docs',
  '/postman.json',
]);
const openBelow: readonly string[] = ['/docs/', '/problemas/', '/web/'];
const queuePaths = /^\/(?:colas|apis\/queue)(?:\/|$)/;

/**
 * Returns the access that a path requires, for every method, whether the path exists or not. A path that is not listed
 * here requires `archivos:leer`, so that a new route is closed by default.
 *
 * @param path without `/v1`
 * @param alsoOpen further open paths
 */
export function accessTo(path: string, alsoOpen: ReadonlySet<string>): RequiredAccess {
  const bare = barePath(path);
  if (open.has(bare) || alsoOpen.has(bare)) return 'open';
  if (openBelow.some((folder) => bare.startsWith(folder))) return 'open';
  return queuePaths.test(bare) ? 'colas:admin' : 'archivos:leer';
}

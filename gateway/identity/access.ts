import { barePath } from '../http/bare-path.ts';
import type { Scope } from './scopes.ts';

/** What a request needs: a scope, or nothing. */
export type Access = Scope | 'open';

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
const openBelow: readonly string[] = ['/docs/', '/web/'];
const ofQueues = /^\/(?:colas|apis\/queue)(?:\/|$)/;

/**
 * What a path asks of its callers, whatever its method, and whether it exists or not. All that is not named here needs
 * `archivos:leer`, so that a new route is closed until somebody opens it.
 *
 * @param path without `/v1`
 * @param alsoOpen more paths that are open
 */
export function accessTo(path: string, alsoOpen: ReadonlySet<string>): Access {
  const bare = barePath(path);
  if (open.has(bare) || alsoOpen.has(bare)) return 'open';
  if (openBelow.some((folder) => bare.startsWith(folder))) return 'open';
  return ofQueues.test(bare) ? 'colas:admin' : 'archivos:leer';
}

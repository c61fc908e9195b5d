import { ProblemError } from './problem.ts';
import type { Context } from './state.ts';
import { pathOf } from './target.ts';

const maxHeaders = 200;
const maxTarget = 16 * 1024;
/** Headers of which Node uses the first one, while a proxy may use the last. */
const single: ReadonlySet<string> = new Set(['host', 'authorization', 'content-type', 'origin']);

/**
 * Refuses malformed requests that Node's parser accepts, or would answer without a body.
 * @throws ProblemError
 */
export function assertWellFormed(ctx: Context): void {
  const { httpVersion, headers, rawHeaders } = ctx.req;
  if (rawHeaders.length > 2 * maxHeaders) throw new ProblemError('cabeceras-demasiado-grandes');
  if (hasTwice(rawHeaders)) {
    throw new ProblemError('peticion-no-valida', { headers: { connection: 'close' } });
  }
  if (ctx.state.target.length > maxTarget) {
    throw new ProblemError('uri-demasiado-larga', { values: { max: maxTarget } });
  }
  if (!isDecodable(pathOf(ctx.state.target))) throw new ProblemError('peticion-no-valida');
  // RFC 9112, section 3.2. HTTP/1.0 has no Host.
  if (httpVersion === '1.1' && headers.host === undefined) throw new ProblemError('peticion-no-valida');
  // RFC 9110, section 10.1.1 defines no other expectation.
  const { expect } = headers;
  if (expect !== undefined && expect.toLowerCase() !== '100-continue') {
    throw new ProblemError('expectativa-no-admitida', { values: { expectativa: expect.slice(0, 100) } });
  }
}

function hasTwice(rawHeaders: readonly string[]): boolean {
  let seen: Set<string> | undefined;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]?.toLowerCase() ?? '';
    if (!single.has(name)) continue;
    if (seen?.has(name)) return true;
    seen ??= new Set();
    seen.add(name);
  }
  return false;
}

function isDecodable(path: string): boolean {
  if (!path.includes('%')) return true;
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}

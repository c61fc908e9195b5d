import { ProblemError } from './problem.ts';
import type { Context } from './state.ts';
import { pathOf } from './target.ts';

const mostHeaders = 200;
const longestTarget = 16 * 1024;
/** Of which Node takes the first one, and whoever stands before us perhaps the last. */
const single: ReadonlySet<string> = new Set(['host', 'authorization', 'content-type', 'origin']);

/**
 * Refuses what Node's parser lets through, or would answer by itself without a body.
 * @throws ProblemError
 */
export function assertWellFormed(ctx: Context): void {
  const { httpVersion, headers, rawHeaders } = ctx.req;
  if (rawHeaders.length > 2 * mostHeaders) throw new ProblemError('cabeceras-demasiado-grandes');
  if (hasTwice(rawHeaders)) {
    throw new ProblemError('peticion-no-valida', { headers: { connection: 'close' } });
  }
  if (ctx.state.target.length > longestTarget) {
    throw new ProblemError('uri-demasiado-larga', { values: { max: longestTarget } });
  }
  if (!isDecodable(pathOf(ctx.state.target))) throw new ProblemError('peticion-no-valida');
  // RFC 9112, section 3.2. HTTP/1.0 knows no Host.
  if (httpVersion === '1.1' && headers.host === undefined) throw new ProblemError('peticion-no-valida');
  // RFC 9110, section 10.1.1: there is only this one.
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
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}

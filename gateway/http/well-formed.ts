import { ProblemError } from './problem.ts';
import type { Context } from './state.ts';
import { pathOf } from './target.ts';

/**
 * Refuses what Node's parser lets through, or would answer by itself without a body.
 * @throws ProblemError
 */
export function assertWellFormed(ctx: Context): void {
  const { httpVersion, headers } = ctx.req;
  if (!isDecodable(pathOf(ctx.state.target))) throw new ProblemError('peticion-no-valida');
  // RFC 9112, section 3.2. HTTP/1.0 knows no Host.
  if (httpVersion === '1.1' && headers.host === undefined) throw new ProblemError('peticion-no-valida');
  // RFC 9110, section 10.1.1: there is only this one.
  const { expect } = headers;
  if (expect !== undefined && expect.toLowerCase() !== '100-continue') {
    throw new ProblemError('expectativa-no-admitida', { values: { expectativa: expect.slice(0, 100) } });
  }
}

function isDecodable(path: string): boolean {
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}

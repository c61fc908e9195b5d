import * as z from 'zod';
import { readQuery } from '../http/query.ts';
import type { Context } from '../http/state.ts';
import { withCursor } from '../http/target.ts';
import { hasScope } from '../identity/scopes.ts';
import { cursor, wholeNumber, words } from '../operations/parameters.ts';
import { readStrictly } from '../operations/strict-query.ts';
import { decodeListCursor, encodeListCursor } from './cursor.ts';
import { describeListed } from './description.ts';
import { type Estado, estados, type Ledger } from './ledger.ts';

const pageParameters = { limite: wholeNumber(1, 1000).prefault('100'), cursor: cursor.optional() };
export const anyState = z.object({
  estado: words(Object.fromEntries(estados.map((estado) => [estado, estado]))).optional(),
  ...pageParameters,
});
export const oneState = z.object(pageParameters);

/** Answers `GET /solicitudes`: the caller's rows, or all with `solicitudes:admin`, newest first. */
export async function listSolicitudes(ctx: Context, ledger: Ledger): Promise<void> {
  const read = readStrictly(anyState, readQuery(ctx.state.target), []);
  await sendPage(ctx, ledger, read.estado, read);
}

/** Answers `GET /cuarentena`: the rows that ended as `fallida`. */
export async function listQuarantine(ctx: Context, ledger: Ledger): Promise<void> {
  await sendPage(ctx, ledger, 'fallida', readStrictly(oneState, readQuery(ctx.state.target), []));
}

async function sendPage(
  ctx: Context,
  ledger: Ledger,
  state: Estado | undefined,
  page: { readonly limite: number; readonly cursor?: string | undefined },
): Promise<void> {
  const { prefix, target } = ctx.state;
  const caller = hasScope(ctx.state, 'solicitudes:admin') ? undefined : ctx.state.caller;
  const scope = [caller ?? null, state ?? null];
  const before = page.cursor === undefined ? undefined : decodeListCursor(scope, page.cursor);
  // One row more than the page shows whether another page exists.
  const rows = await ledger.list({ caller, state, before, limit: page.limite + 1 });
  const shown = rows.slice(0, page.limite);
  const last = rows.length > shown.length ? shown.at(-1) : undefined;
  const siguiente = last === undefined ? null : encodeListCursor(scope, last.id);
  if (siguiente !== null) ctx.set('Link', `<${withCursor(target, siguiente)}>; rel="next"`);
  ctx.set('Cache-Control', 'no-store');
  ctx.body = { solicitudes: shown.map((row) => describeListed(row, prefix)), siguiente };
}

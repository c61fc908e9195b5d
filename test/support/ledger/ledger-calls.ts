import fc from 'fast-check';
import type { RenderedAnswer } from '../../../gateway/http/rendered-answer.ts';
import type { Acceptance, EstadoFinal, Ledger } from '../../../gateway/solicitudes/ledger.ts';

/** Returns an acceptance like the gateway's; `given` overrides the fields that the test is about. */
export function acceptance(given: Partial<Acceptance> & { readonly id: string }): Acceptance {
  return {
    service: 'mserv1',
    operation: 'listar_archivos',
    request: '{"ruta":"2026/Año nuevo"}',
    view: { target: '/v1/listar_archivos?ruta=2026%2FA%C3%B1o+nuevo', formato: 'json', idioma: 'es' },
    caller: 'anonimo',
    requestId: 'peticion-1',
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    replyToken: 'testigo',
    acceptedAt: 1000,
    expiresAt: 90_000,
    key: undefined,
    retryOf: undefined,
    ...given,
  };
}

export function answerOf(body: string | Buffer): RenderedAnswer {
  return {
    status: 200,
    headers: { 'content-type': 'application/json; charset=utf-8', etag: '"e"' },
    body: Buffer.from(body),
  };
}

/** One call of a ledger, with its text for the message of a failed test. */
export interface LedgerCall {
  readonly text: string;
  readonly run: (ledger: Ledger) => Promise<unknown>;
}

export const callIds = ['a', 'b', 'c', 'd', 'e', 'f'] as const;
export const callServices = ['mserv1', 'mserv2'] as const;
export const lastTime = 60;
const callers = ['ana', 'luis'] as const;

const id = fc.constantFrom(...callIds);
const service = fc.constantFrom(...callServices);
const time = fc.integer({ min: 0, max: lastTime });
const final = fc.constantFrom<EstadoFinal>('completada', 'fallida', 'vencida', 'cancelada');
// JSON text never has a raw NUL.
const requestText = fc.string({ maxLength: 8, unit: 'binary' }).filter((text) => !text.includes('\0'));
const caller = fc.constantFrom(...callers);
const key = fc.option(fc.constantFrom('k1', 'k2'), { nil: undefined });
const body = fc.option(fc.uint8Array({ maxLength: 12 }), { nil: undefined });

function call<T extends readonly unknown[]>(
  name: string,
  run: (ledger: Ledger, ...args: T) => Promise<unknown>,
  ...args: { [K in keyof T]: fc.Arbitrary<T[K]> }
): fc.Arbitrary<LedgerCall> {
  return fc.tuple(...args).map((values) => ({
    text: `${name}(${values.map((value) => fc.stringify(value)).join(', ')})`,
    run: (ledger: Ledger) => run(ledger, ...(values as unknown as T)),
  }));
}

/** Any call that changes a ledger, over few rows and few times, so that calls often meet. */
export const writingCall: fc.Arbitrary<LedgerCall> = fc.oneof(
  {
    weight: 4,
    arbitrary: call(
      'accept',
      (
        ledger,
        row: string,
        of: string,
        request: string,
        at: number,
        life: number,
        by: string,
        under: string | undefined,
      ) =>
        ledger.accept(
          acceptance({
            id: row,
            service: of,
            request,
            acceptedAt: at,
            expiresAt: at + life,
            caller: by,
            key: under,
          }),
        ),
      id,
      service,
      requestText,
      time,
      time,
      caller,
      key,
    ),
  },
  {
    weight: 2,
    arbitrary: call(
      'published',
      (ledger, row: string, at: number, dueAt: number) => ledger.published(row, at, dueAt),
      id,
      time,
      time,
    ),
  },
  call('interrupted', (ledger, row: string, dueAt: number) => ledger.interrupted(row, dueAt), id, time),
  call('defer', (ledger, row: string, dueAt: number) => ledger.defer(row, dueAt), id, time),
  call(
    'deferQueued',
    (ledger, of: string, now: number, dueAt: number) => ledger.deferQueued(of, now, dueAt),
    service,
    time,
    time,
  ),
  {
    weight: 2,
    arbitrary: call(
      'claim',
      (ledger, of: string, now: number, until: number) => ledger.claim(of, now, until, 3),
      service,
      time,
      time,
    ),
  },
  call('makeDue', (ledger, of: string, dueAt: number) => ledger.makeDue(of, dueAt), service, time),
  {
    weight: 2,
    arbitrary: call(
      'close',
      (ledger, row: string, state: EstadoFinal, bytes: Uint8Array | undefined, at: number) =>
        ledger.close(row, { state, at, ...(bytes && { answer: answerOf(Buffer.from(bytes)) }) }),
      id,
      final,
      body,
      time,
    ),
  },
  call(
    'expire',
    async (ledger, now: number) => (await ledger.expire(now)).toSorted((x, y) => x.id.localeCompare(y.id)),
    time,
  ),
  call('purge', (ledger, closedBefore: number) => ledger.purge(closedBefore), time),
  call('probe', (ledger) => ledger.probe()),
);

/** Reads everything that a ledger tells about the rows that `writingCall` makes. */
export async function ledgerState(ledger: Ledger): Promise<unknown> {
  return {
    rows: await Promise.all(callIds.map((row) => ledger.get(row))),
    answers: await Promise.all(callIds.map((row) => ledger.answer(row))),
    keys: await Promise.all(callers.flatMap((of) => ['k1', 'k2'].map((k) => ledger.withKey(of, k)))),
    lists: await Promise.all(
      callers.flatMap((of) => [
        ...[undefined, 'encolada' as const, 'fallida' as const].map((state) =>
          ledger.list({ caller: of, state, before: undefined, limit: 3 }),
        ),
        ledger.list({ caller: of, state: undefined, before: 'e', limit: 2 }),
      ]),
    ),
    nextDue: await Promise.all(callServices.map((of) => ledger.nextDue(of))),
    open: await ledger.countOpen(),
  };
}

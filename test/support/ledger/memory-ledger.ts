import type { RenderedAnswer } from '../../../gateway/http/rendered-answer.ts';
import {
  type Acceptance,
  type Closing,
  type Expired,
  type Ledger,
  LedgerFullError,
  type LedgerListener,
  type Solicitud,
  type SolicitudFilter,
} from '../../../gateway/solicitudes/ledger.ts';
import { createListeners } from '../../../gateway/solicitudes/listeners.ts';
import { rowSize } from '../../../gateway/solicitudes/row-size.ts';

interface Row {
  solicitud: Solicitud;
  dueAt: number;
  answer: RenderedAnswer | undefined;
}

function answerSize(answer: RenderedAnswer | undefined): number {
  return answer === undefined ? 0 : answer.body.length + Buffer.byteLength(JSON.stringify(answer.headers));
}

/** The simplest ledger, in memory: the model that every real ledger is compared with. */
export class MemoryLedger implements Ledger {
  readonly id = 'memory';
  readonly #rows = new Map<string, Row>(); // in order of acceptance
  readonly #listeners = createListeners();
  #lostBefore = 0;
  readonly #bounds: { readonly maxRows: number; readonly maxBytes: number };

  constructor(bounds: { readonly maxRows: number; readonly maxBytes: number }) {
    this.#bounds = bounds;
  }

  #openRows(service?: string): Row[] {
    return [...this.#rows.values()].filter(
      ({ solicitud }) =>
        solicitud.closedAt === undefined && (service === undefined || solicitud.service === service),
    );
  }

  #openRow(id: string): Row | undefined {
    const row = this.#rows.get(id);
    return row?.solicitud.closedAt === undefined ? row : undefined;
  }

  #seen({ solicitud }: Row): Solicitud {
    const lost = solicitud.publishedAt !== undefined && solicitud.publishedAt < this.#lostBefore;
    return lost ? { ...solicitud, publishedAt: undefined } : solicitud;
  }

  #tell({ solicitud: { id, service, state } }: Row): void {
    this.#listeners.changed([{ id, service, state }]);
  }

  #assertRoom(more: number): void {
    const bytes = [...this.#rows.values()].reduce(
      (sum, { solicitud, answer }) => sum + rowSize(solicitud) + answerSize(answer),
      more,
    );
    if (this.#rows.size >= this.#bounds.maxRows || bytes > this.#bounds.maxBytes) throw new LedgerFullError();
  }

  async accept(acceptance: Acceptance): Promise<Solicitud | undefined> {
    const { caller, key } = acceptance;
    const known = key === undefined ? undefined : this.#keyed(caller, key);
    if (known !== undefined) return known;
    this.#assertRoom(rowSize(acceptance));
    if (this.#rows.has(acceptance.id)) throw new Error('The id is taken');
    const row: Row = {
      solicitud: {
        ...acceptance,
        state: 'aceptada',
        attempts: 0,
        publishedAt: undefined,
        interruptions: 0,
        closedAt: undefined,
        history: [{ state: 'aceptada', at: acceptance.acceptedAt }],
      },
      dueAt: acceptance.acceptedAt,
      answer: undefined,
    };
    this.#rows.set(acceptance.id, row);
    this.#tell(row);
    return undefined;
  }

  async get(id: string): Promise<Solicitud | undefined> {
    const row = this.#rows.get(id);
    return row && this.#seen(row);
  }

  async withKey(caller: string, key: string): Promise<Solicitud | undefined> {
    return this.#keyed(caller, key);
  }

  #keyed(caller: string, key: string): Solicitud | undefined {
    const row = [...this.#rows.values()].find(
      ({ solicitud }) => solicitud.caller === caller && solicitud.key === key,
    );
    return row && this.#seen(row);
  }

  async list({ caller, state, before, limit }: SolicitudFilter): Promise<readonly Solicitud[]> {
    return [...this.#rows.values()]
      .map((row) => this.#seen(row))
      .filter(
        (row) =>
          (caller === undefined || row.caller === caller) && (state === undefined || row.state === state),
      )
      .filter(({ id }) => before === undefined || id < before)
      .sort((a, b) => (a.id < b.id ? 1 : -1))
      .slice(0, limit);
  }

  async answer(id: string): Promise<RenderedAnswer | undefined> {
    return this.#rows.get(id)?.answer;
  }

  async published(id: string, at: number, dueAt: number): Promise<void> {
    const row = this.#openRow(id);
    if (row === undefined) return;
    const { solicitud } = row;
    const history =
      solicitud.state === 'encolada'
        ? solicitud.history
        : [...solicitud.history, { state: 'encolada' as const, at }];
    row.solicitud = {
      ...solicitud,
      state: 'encolada',
      attempts: solicitud.attempts + 1,
      publishedAt: Math.max(at, this.#lostBefore),
      history,
    };
    row.dueAt = dueAt;
    this.#tell(row);
  }

  async unpublish(at: number): Promise<void> {
    const published = this.#openRows().map(({ solicitud }) => (solicitud.publishedAt ?? -1) + 1);
    this.#lostBefore = Math.max(this.#lostBefore, at, ...published);
  }

  async interrupted(id: string, dueAt: number): Promise<number> {
    const row = this.#openRow(id);
    if (row !== undefined) {
      row.solicitud = { ...row.solicitud, interruptions: row.solicitud.interruptions + 1 };
      row.dueAt = dueAt;
    }
    return this.#rows.get(id)?.solicitud.interruptions ?? 0;
  }

  async defer(id: string, dueAt: number): Promise<void> {
    const row = this.#openRow(id);
    if (row !== undefined) row.dueAt = dueAt;
  }

  async deferQueued(service: string, now: number, dueAt: number): Promise<void> {
    for (const row of this.#openRows(service)) {
      const kept = this.#seen(row).publishedAt !== undefined;
      if (row.solicitud.state === 'encolada' && kept && row.dueAt <= now) row.dueAt = dueAt;
    }
  }

  async makeDue(service: string, dueAt: number): Promise<void> {
    for (const row of this.#openRows(service)) row.dueAt = Math.min(row.dueAt, dueAt);
  }

  async claim(service: string, now: number, until: number, limit: number): Promise<readonly Solicitud[]> {
    const rows = this.#openRows(service)
      .filter(({ dueAt }) => dueAt <= now)
      .sort((a, b) => a.dueAt - b.dueAt) // a stable sort: equal times stay in order of acceptance
      .slice(0, limit);
    for (const row of rows) row.dueAt = until;
    return rows.map((row) => this.#seen(row));
  }

  async nextDue(service: string): Promise<number | undefined> {
    const times = this.#openRows(service).map(({ dueAt }) => dueAt);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  async oldest(): Promise<number | undefined> {
    const rows = [...this.#openRows()].map(({ solicitud }) => solicitud);
    return rows.toSorted((a, b) => a.expiresAt - b.expiresAt)[0]?.acceptedAt;
  }

  async countOpen(): Promise<Readonly<Record<string, number>>> {
    const counts: Record<string, number> = {};
    for (const { solicitud } of this.#openRows()) {
      counts[solicitud.service] = (counts[solicitud.service] ?? 0) + 1;
    }
    return counts;
  }

  async close(id: string, closing: Closing): Promise<'closed' | 'was-closed' | 'unknown'> {
    return this.#close(id, closing);
  }

  #close(id: string, { state, answer, at }: Closing): 'closed' | 'was-closed' | 'unknown' {
    const row = this.#openRow(id);
    if (row === undefined) return this.#rows.has(id) ? 'was-closed' : 'unknown';
    row.solicitud = {
      ...row.solicitud,
      state,
      closedAt: at,
      history: [...row.solicitud.history, { state, at }],
    };
    row.answer = answer;
    this.#tell(row);
    return 'closed';
  }

  async expire(now: number): Promise<readonly Expired[]> {
    const expired = this.#openRows().filter(({ solicitud }) => solicitud.expiresAt <= now);
    for (const { solicitud } of expired) this.#close(solicitud.id, { state: 'vencida', at: now });
    return expired.map(({ solicitud: { id, service, requestId } }) => ({ id, service, requestId }));
  }

  async purge(closedBefore: number): Promise<number> {
    const old = [...this.#rows.values()].filter(
      ({ solicitud: { closedAt } }) => closedAt !== undefined && closedAt < closedBefore,
    );
    for (const { solicitud } of old) this.#rows.delete(solicitud.id);
    return old.length;
  }

  async probe(): Promise<void> {
    this.#assertRoom(0);
  }

  subscribe(listener: LedgerListener): () => void {
    return this.#listeners.add(listener);
  }

  async stop(): Promise<void> {}
}

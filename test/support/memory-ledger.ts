import {
  type Acceptance,
  type Closing,
  type Ledger,
  LedgerFullError,
  type Solicitud,
  type StoredAnswer,
} from '../../gateway/solicitudes/ledger.ts';

interface Row {
  solicitud: Solicitud;
  dueAt: number;
  answer: StoredAnswer | undefined;
}

/** The ledger as simply as it can be said: what every real one is compared with. It keeps nothing. */
export class MemoryLedger implements Ledger {
  readonly id = 'memory';
  readonly #rows = new Map<string, Row>(); // in order of acceptance
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

  async accept(acceptance: Acceptance): Promise<void> {
    const bytes = [...this.#rows.values()].reduce(
      (sum, { solicitud, answer }) => sum + Buffer.byteLength(solicitud.request) + (answer?.body.length ?? 0),
      Buffer.byteLength(acceptance.request),
    );
    if (this.#rows.size >= this.#bounds.maxRows || bytes > this.#bounds.maxBytes) throw new LedgerFullError();
    if (this.#rows.has(acceptance.id)) throw new Error('This id is taken');
    this.#rows.set(acceptance.id, {
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
    });
  }

  async get(id: string): Promise<Solicitud | undefined> {
    return this.#rows.get(id)?.solicitud;
  }

  async answer(id: string): Promise<StoredAnswer | undefined> {
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
      publishedAt: at,
      history,
    };
    row.dueAt = dueAt;
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
      if (row.solicitud.state === 'encolada' && row.dueAt <= now) row.dueAt = dueAt;
    }
  }

  async makeDue(service: string, dueAt: number): Promise<void> {
    for (const row of this.#openRows(service)) row.dueAt = Math.min(row.dueAt, dueAt);
  }

  async due(service: string, now: number, limit: number): Promise<readonly Solicitud[]> {
    return this.#openRows(service)
      .filter(({ dueAt }) => dueAt <= now)
      .sort((a, b) => a.dueAt - b.dueAt) // stable: those of one time stay in order of acceptance
      .slice(0, limit)
      .map(({ solicitud }) => solicitud);
  }

  async nextDue(service: string): Promise<number | undefined> {
    const times = this.#openRows(service).map(({ dueAt }) => dueAt);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  async open(): Promise<Readonly<Record<string, number>>> {
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
    return 'closed';
  }

  async expire(now: number): Promise<readonly { readonly id: string; readonly service: string }[]> {
    const expired = this.#openRows().filter(({ solicitud }) => solicitud.expiresAt <= now);
    for (const { solicitud } of expired) this.#close(solicitud.id, { state: 'vencida', at: now });
    return expired.map(({ solicitud: { id, service } }) => ({ id, service }));
  }

  async purge(closedBefore: number): Promise<number> {
    const old = [...this.#rows.values()].filter(
      ({ solicitud: { closedAt } }) => closedAt !== undefined && closedAt < closedBefore,
    );
    for (const { solicitud } of old) this.#rows.delete(solicitud.id);
    return old.length;
  }

  async probe(): Promise<void> {}

  async stop(): Promise<void> {}
}

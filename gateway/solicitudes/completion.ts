import type { Logger } from 'pino';
import { renderVerdict } from '../answers/renderer.ts';
import type { Verdict } from '../calls/verdict.ts';
import type { RenderedAnswer } from '../http/rendered-answer.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { Operation } from '../operations/operation.ts';
import type { Closing, EstadoFinal, Ledger, Solicitud } from './ledger.ts';

/** The one way to a final state: through the ledger, which tells whoever waits. */
export interface Closer {
  /** Renders what the handler said and stores it: `completada`; or `fallida`, when it cannot be rendered. */
  complete(row: Solicitud, verdict: Verdict): Promise<void>;
  /** Ends a row without an answer. */
  end(
    row: Pick<Solicitud, 'id' | 'requestId'>,
    state: Exclude<EstadoFinal, 'completada'>,
  ): Promise<'closed' | 'was-closed' | 'unknown'>;
}

export interface CloserDeps {
  readonly ledger: Ledger;
  readonly operation: (name: string) => Operation | undefined;
  readonly metrics: Pick<Metrics, 'solicitudEnds'>;
  readonly log: Logger;
  readonly now: () => number;
}

export function createCloser({ ledger, operation, metrics, log, now }: CloserDeps): Closer {
  async function close(
    row: Pick<Solicitud, 'id' | 'requestId'>,
    closing: Closing,
  ): Promise<'closed' | 'was-closed' | 'unknown'> {
    const result = await ledger.close(row.id, closing);
    if (result !== 'closed') {
      log.debug(
        { id: row.id, requestId: row.requestId, estado: closing.state, result },
        'second ending dropped',
      );
      return result;
    }
    metrics.solicitudEnds(closing.state);
    log.info({ id: row.id, requestId: row.requestId, estado: closing.state }, 'solicitud closed');
    return result;
  }

  return {
    complete: async (row, verdict) => {
      const known = operation(row.operation);
      if (known === undefined) {
        log.error({ id: row.id, operation: row.operation }, 'no such operation any more');
        await close(row, { state: 'fallida', at: now() });
        return;
      }
      let answer: RenderedAnswer;
      try {
        answer = renderVerdict(known, verdict, row.view);
      } catch (err) {
        // A defect, and the same one at each try: its reply would come again for ever, and those behind it wait.
        log.error({ err, id: row.id, requestId: row.requestId }, 'the answer cannot be rendered');
        await close(row, { state: 'fallida', at: now() });
        return;
      }
      await close(row, { state: 'completada', answer, at: now() });
    },
    end: (row, state) => close(row, { state, at: now() }),
  };
}

import type { Logger } from 'pino';
import { renderVerdict } from '../answers/renderer.ts';
import type { Verdict } from '../calls/verdict.ts';
import type { RenderedAnswer } from '../http/rendered-answer.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { Operation } from '../operations/operation.ts';
import type { Closing, EstadoFinal, Ledger, Solicitud } from './ledger.ts';

/** Commits final states to the ledger, which notifies the waiters. No other code does. */
export interface Completion {
  /** Renders a verdict and stores the answer: `completada`, or `fallida` when rendering fails. */
  complete(row: Solicitud, verdict: Verdict): Promise<void>;
  /** Closes a row without an answer. */
  end(
    row: Pick<Solicitud, 'id' | 'requestId'>,
    state: Exclude<EstadoFinal, 'completada'>,
  ): Promise<'closed' | 'was-closed' | 'unknown'>;
}

export interface CompletionDeps {
  readonly ledger: Ledger;
  readonly operation: (name: string) => Operation | undefined;
  readonly metrics: Pick<Metrics, 'solicitudEnds'>;
  readonly log: Logger;
  readonly now: () => number;
}

export function createCompletion({ ledger, operation, metrics, log, now }: CompletionDeps): Completion {
  async function close(
    row: Pick<Solicitud, 'id' | 'requestId'>,
    closing: Closing,
  ): Promise<'closed' | 'was-closed' | 'unknown'> {
    const result = await ledger.close(row.id, closing);
    if (result !== 'closed') {
      log.debug(
        { id: row.id, requestId: row.requestId, estado: closing.state, result },
        'already closed; later result discarded',
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
        log.error({ id: row.id, operation: row.operation }, 'operation unknown; closing as fallida');
        await close(row, { state: 'fallida', at: now() });
        return;
      }
      let answer: RenderedAnswer;
      try {
        answer = renderVerdict(known, verdict, row.view);
      } catch (err) {
        // A bug that every attempt repeats: without an end, the reply would be redelivered for ever and block others.
        log.error(
          { err, id: row.id, requestId: row.requestId },
          'answer cannot be rendered; closing as fallida',
        );
        await close(row, { state: 'fallida', at: now() });
        return;
      }
      await close(row, { state: 'completada', answer, at: now() });
    },
    end: (row, state) => close(row, { state, at: now() }),
  };
}

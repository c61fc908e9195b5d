import { writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { readAnswer } from './answer.ts';
import { writeEntry } from './journal.ts';
import type { Random } from './random.ts';

export interface Ask {
  readonly path: string;
  /** `respond-async`, `wait=1` */
  readonly prefer?: string;
  /** Idempotency-Key. */
  readonly key?: string;
  /** Another gateway than the load's: `http://127.0.0.1:1234`. */
  readonly at?: string;
}

export interface LoadOptions {
  /** Requests per second, at most. */
  readonly rate: number;
  /** Requests that wait for their answers at the same time, at most. */
  readonly atOnce: number;
  readonly next: (random: Random) => Ask;
}

/** A client that asks without pause and keeps a journal. */
export interface Load {
  readonly journal: string;
  readonly accepted: number;
  resume(): void;
  /** Asks nothing new; resolves when what was asked has ended one way or the other. */
  pause(): Promise<void>;
  /** Resolves when that many more were accepted; rejects after 20 s. */
  untilAccepted(more: number): Promise<void>;
  /** Asks one thing, now; gives the id when it was accepted. */
  ask(ask: Ask): Promise<string | undefined>;
}

const patienceMs = 20_000;

export function createLoad(url: string, journal: string, random: Random, options: LoadOptions): Load {
  writeFileSync(journal, '');
  const inFlight = new Set<Promise<unknown>>();
  let asked = 0;
  let accepted = 0;
  let running: AbortController | undefined;
  const listeners = new Set<() => void>();

  async function ask({ path, prefer, key, at = url }: Ask): Promise<string | undefined> {
    const n = asked++;
    writeEntry(journal, { what: 'sent', n, at: Date.now(), path, ...(key !== undefined && { key }) });
    try {
      const response = await fetch(at + path, {
        headers: {
          ...(prefer !== undefined && { prefer }),
          ...(key !== undefined && { 'idempotency-key': key }),
        },
        redirect: 'error',
        signal: AbortSignal.timeout(patienceMs),
      });
      const { status } = response;
      if (status === 202) {
        // The promise is made by the head of the answer; whether its body arrives is another matter.
        const id = response.headers.get('location')?.split('/').at(-1) ?? '';
        writeEntry(journal, { what: 'told', n, at: Date.now(), status, id });
        accepted += 1;
        for (const listener of [...listeners]) listener();
        await response.body?.cancel();
        return id;
      }
      const retryAfter = response.headers.get('retry-after');
      const { digest } = await readAnswer(response);
      const told = { what: 'told' as const, n, at: Date.now(), status, digest };
      writeEntry(journal, retryAfter === null ? told : { ...told, retryAfter });
    } catch (error) {
      const { cause, message } = error as Error;
      const why = (cause as { code?: string } | undefined)?.code ?? message;
      writeEntry(journal, { what: 'nothing', n, at: Date.now(), why });
    }
    return undefined;
  }

  async function run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (inFlight.size < options.atOnce) {
        const one = ask(options.next(random)).finally(() => inFlight.delete(one));
        inFlight.add(one);
      }
      await delay(1000 / options.rate, undefined, { signal }).catch(() => {});
    }
  }

  return {
    journal,
    get accepted() {
      return accepted;
    },
    resume() {
      if (running !== undefined) return;
      running = new AbortController();
      void run(running.signal);
    },
    async pause() {
      running?.abort();
      running = undefined;
      await Promise.all(inFlight);
    },
    async untilAccepted(more) {
      const wanted = accepted + more;
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const look = (): void => {
        if (accepted >= wanted) resolve();
      };
      const timer = setTimeout(() => {
        reject(new Error(`Only ${accepted - wanted + more} of ${more} were accepted in ${patienceMs} ms`));
      }, patienceMs);
      listeners.add(look);
      look();
      await promise.finally(() => {
        clearTimeout(timer);
        listeners.delete(look);
      });
    },
    ask,
  };
}

import { writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { readAnswer } from './answer.ts';
import { writeEntry } from './journal.ts';
import type { Random } from './random.ts';

export interface LoadRequest {
  readonly path: string;
  /** Prefer header: `respond-async`, `wait=1` */
  readonly prefer?: string;
  /** Idempotency-Key. */
  readonly key?: string;
  /** Base URL of another gateway than the load's: `http://127.0.0.1:1234`. */
  readonly at?: string;
}

export interface LoadOptions {
  /** Maximum requests per second. */
  readonly rate: number;
  /** Maximum requests in flight. */
  readonly atOnce: number;
  readonly next: (random: Random) => LoadRequest;
}

/** Client that sends requests continuously and keeps a journal. */
export interface Load {
  readonly journal: string;
  readonly accepted: number;
  resume(): void;
  /** Sends no new requests; resolves when those in flight have ended. */
  pause(): Promise<void>;
  /** Resolves when that many more requests are accepted; rejects after 20 s. */
  untilAccepted(more: number): Promise<void>;
  /** Sends one request now; resolves with its id when it is accepted. */
  send(request: LoadRequest): Promise<string | undefined>;
}

const patienceMs = 20_000;

export function createLoad(url: string, journal: string, random: Random, options: LoadOptions): Load {
  writeFileSync(journal, '');
  const inFlight = new Set<Promise<unknown>>();
  let sent = 0;
  let accepted = 0;
  let running: AbortController | undefined;
  const listeners = new Set<() => void>();

  async function send({ path, prefer, key, at = url }: LoadRequest): Promise<string | undefined> {
    const n = sent++;
    writeEntry(journal, { kind: 'sent', n, at: Date.now(), path, ...(key !== undefined && { key }) });
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
        // The head of the answer is the promise, whether or not its body arrives.
        const id = response.headers.get('location')?.split('/').at(-1) ?? '';
        writeEntry(journal, { kind: 'answered', n, at: Date.now(), status, id });
        accepted += 1;
        for (const listener of [...listeners]) listener();
        await response.body?.cancel();
        return id;
      }
      const retryAfter = response.headers.get('retry-after');
      const { digest } = await readAnswer(response);
      const entry = { kind: 'answered' as const, n, at: Date.now(), status, digest };
      writeEntry(journal, retryAfter === null ? entry : { ...entry, retryAfter });
    } catch (error) {
      const { cause, message } = error as Error;
      const why = (cause as { code?: string } | undefined)?.code ?? message;
      writeEntry(journal, { kind: 'failed', n, at: Date.now(), why });
    }
    return undefined;
  }

  async function run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (inFlight.size < options.atOnce) {
        const one = send(options.next(random)).finally(() => inFlight.delete(one));
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
        reject(
          new Error(`Only ${accepted - wanted + more} of ${more} requests were accepted in ${patienceMs} ms`),
        );
      }, patienceMs);
      listeners.add(look);
      look();
      await promise.finally(() => {
        clearTimeout(timer);
        listeners.delete(look);
      });
    },
    send,
  };
}

import { setTimeout as delay } from 'node:timers/promises';

interface Source {
  subscribe(listener: () => void): () => void;
}

/** Resolves when the condition holds, checked at each event of the source. The test's time-out is the bound. */
export async function until(source: Source, isSo: () => boolean): Promise<void> {
  if (isSo()) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const unsubscribe = source.subscribe(() => {
    if (isSo()) resolve();
  });
  await promise.finally(unsubscribe);
}

/** Polls until the condition holds, for sources without events. The test's time-out is the bound. */
export async function eventually(isSo: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await isSo())) await delay(20);
}

import { setTimeout as delay } from 'node:timers/promises';

interface Source {
  subscribe(listener: () => void): () => void;
}

/** Resolves when something that tells its changes is as wanted. The test's own time-out is the bound. */
export async function until(source: Source, isSo: () => boolean): Promise<void> {
  if (isSo()) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const unsubscribe = source.subscribe(() => {
    if (isSo()) resolve();
  });
  await promise.finally(unsubscribe);
}

/** Asks until it is so, for what tells nobody that it changed. The test's own time-out is the bound. */
export async function eventually(isSo: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await isSo())) await delay(20);
}

import { setTimeout as delay } from 'node:timers/promises';
import { openInLedger, readState } from './ledger-file.ts';
import type { Stage } from './scenario.ts';

/** Pauses the load until all that was accepted is answered: what happens next is of one request. */
export async function quiet({ world, load }: Stage): Promise<void> {
  await load.pause();
  await answered(world.ledgerFile);
}

/** Resolves when the ledger has nothing open; the scenario's own bound is the limit. */
export async function answered(ledgerFile: string): Promise<void> {
  while (openInLedger(ledgerFile) !== 0) await delay(50);
}

/** Resolves when the ledger has that state committed. */
export async function reached(ledgerFile: string, id: string, state: string): Promise<void> {
  while (readState(ledgerFile, id) !== state) await delay(20);
}

import { setTimeout as delay } from 'node:timers/promises';
import type { Deployment } from './deployment.ts';
import { readJournal } from './journal.ts';
import type { FaultContext } from './scenario.ts';

/** Pauses the load and waits until all accepted requests are answered. */
export async function drainLoad({ deployment, load }: FaultContext): Promise<void> {
  await load.pause();
  await untilAnswered(deployment);
}

/** Resolves when the ledger has no open rows; the time limit of the fault is the bound. */
export async function untilAnswered(deployment: Deployment): Promise<void> {
  while ((await deployment.ledgerReader.open()) !== 0) await delay(50);
}

/** Resolves when the ledger has committed the state of a row. */
export async function untilState(deployment: Deployment, id: string, state: string): Promise<void> {
  while ((await deployment.ledgerReader.state(id)) !== state) await delay(20);
}

const open = ['aceptada', 'encolada'];

/** Resolves when a row is closed. */
export async function untilClosed(deployment: Deployment, id: string): Promise<void> {
  while (open.includes((await deployment.ledgerReader.state(id)) ?? 'aceptada')) await delay(50);
}

/** Resolves when the journal has a request sent after the call and refused with 503. */
export async function untilRefused({ load }: FaultContext): Promise<void> {
  const at = Date.now();
  const refused = (): boolean =>
    readJournal(load.journal).some(({ response, sentAt }) => response?.status === 503 && sentAt >= at);
  while (!refused()) await delay(200);
}

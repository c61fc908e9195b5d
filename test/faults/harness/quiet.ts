import { setTimeout as delay } from 'node:timers/promises';
import { readJournal } from './journal.ts';
import type { Stage } from './scenario.ts';
import type { World } from './world.ts';

/** Pauses the load until all that was accepted is answered: what happens next is of one request. */
export async function quiet({ world, load }: Stage): Promise<void> {
  await load.pause();
  await answered(world);
}

/** Resolves when the ledger has nothing open; the scenario's own bound is the limit. */
export async function answered(world: World): Promise<void> {
  while ((await world.evidence.open()) !== 0) await delay(50);
}

/** Resolves when the ledger has that state committed. */
export async function reached(world: World, id: string, state: string): Promise<void> {
  while ((await world.evidence.state(id)) !== state) await delay(20);
}

const open = ['aceptada', 'encolada'];

/** Resolves when one has ended. */
export async function closed(world: World, id: string): Promise<void> {
  while (open.includes((await world.evidence.state(id)) ?? 'aceptada')) await delay(50);
}

/** Resolves when a request that was sent from now on has been refused, as the journal says. */
export async function untilRefused({ load }: Stage): Promise<void> {
  const at = Date.now();
  const refused = (): boolean =>
    readJournal(load.journal).some(({ told, sentAt }) => told?.status === 503 && sentAt >= at);
  while (!refused()) await delay(200);
}

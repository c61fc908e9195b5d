import { setTimeout as delay } from 'node:timers/promises';
import type { Scenario, Stage } from './scenario.ts';
import type { Course, Span } from './verify.ts';
import { startAll } from './world.ts';

const repairSeconds = 60;

/** One fault under load, its repair, and what came of it. */
export async function playScenario(scenario: Scenario, stage: Stage): Promise<Course> {
  const { load } = stage;
  load.resume();
  await load.untilAccepted(scenario.before ?? 40);
  const broken = await breakAndRepair(scenario, stage);
  const recovering = recovery(stage);
  load.resume();
  await load.untilAccepted(20);
  return {
    refusable: scenario.expect?.refusals === true ? [broken] : [],
    recoverySeconds: await recovering,
  };
}

/** Gives when it was broken. */
export async function breakAndRepair(scenario: Scenario, stage: Stage): Promise<Span> {
  const from = Date.now();
  const lent = lend(stage);
  try {
    await within(scenario.faultSeconds ?? 60, 'the fault', scenario.fault(lent.stage));
  } finally {
    lent.takeBack();
  }
  await within(repairSeconds, 'the repair', repair(scenario, stage));
  return { from, to: Date.now() };
}

/**
 * The stage as a fault has it. Taken back, nothing happens on it any more: a fault that was given up does not go on
 * after its repair when what it waited for comes at last, and what it still waits for is waited for no longer.
 */
function lend(stage: Stage): { readonly stage: Stage; takeBack(): void } {
  const world = Proxy.revocable(stage.world, {});
  const load = Proxy.revocable(stage.load, {});
  return {
    stage: { ...stage, world: world.proxy, load: load.proxy },
    takeBack() {
      world.revoke();
      load.revoke();
      stage.world.disarm();
    },
  };
}

export async function repair(scenario: Scenario, stage: Stage): Promise<void> {
  await scenario.heal?.(stage);
  await startAll(stage.world);
}

/** Seconds until all that is open now is closed; infinite when the stage's patience is over before that. */
export async function recovery({ world: { evidence }, patienceMs }: Stage): Promise<number> {
  const begun = performance.now();
  const seconds = (): number => (performance.now() - begun) / 1000;
  let last: number | undefined;
  while (seconds() < patienceMs / 1000) {
    // What cannot be read just now is asked again.
    last ??= await evidence.last();
    if (last !== undefined && (await evidence.open(last)) === 0) return seconds();
    await delay(50);
  }
  return Number.POSITIVE_INFINITY;
}

async function within<Value>(seconds: number, what: string, promise: Promise<Value>): Promise<Value> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`${what} took more than ${seconds} s`)),
    seconds * 1000,
  );
  return Promise.race([promise, late.promise]).finally(() => clearTimeout(timer));
}

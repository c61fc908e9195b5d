import { setTimeout as delay } from 'node:timers/promises';
import { startAll } from './deployment.ts';
import type { FaultContext, Scenario } from './scenario.ts';
import type { FaultOutcome, Span } from './verify.ts';

const repairSeconds = 60;

/** Plays a scenario's fault and repair under load, and measures the recovery. */
export async function playScenario(scenario: Scenario, context: FaultContext): Promise<FaultOutcome> {
  const { load } = context;
  load.resume();
  await load.untilAccepted(scenario.before ?? 40);
  const broken = await breakAndRepair(scenario, context);
  const recovering = recovery(context);
  load.resume();
  await load.untilAccepted(20);
  return {
    refusable: scenario.expect?.refusals === true ? [broken] : [],
    recoverySeconds: await recovering,
  };
}

/** Plays the fault and the repair; returns their time span. */
export async function breakAndRepair(scenario: Scenario, context: FaultContext): Promise<Span> {
  const from = Date.now();
  const revocable = makeRevocable(context);
  try {
    await within(scenario.faultSeconds ?? 60, 'the fault', scenario.fault(revocable.context));
  } finally {
    revocable.revoke();
  }
  await within(repairSeconds, 'the repair', repair(scenario, context));
  return { from, to: Date.now() };
}

/**
 * Wraps a context so that a fault that was given up cannot act after its repair. After `revoke` every use throws, and
 * armed faults are cancelled.
 */
function makeRevocable(context: FaultContext): { readonly context: FaultContext; revoke(): void } {
  const deployment = Proxy.revocable(context.deployment, {});
  const load = Proxy.revocable(context.load, {});
  return {
    context: { ...context, deployment: deployment.proxy, load: load.proxy },
    revoke() {
      deployment.revoke();
      load.revoke();
      context.deployment.disarm();
    },
  };
}

export async function repair(scenario: Scenario, context: FaultContext): Promise<void> {
  await scenario.repair?.(context);
  await startAll(context.deployment);
}

/** Returns the seconds until all rows open now are closed; Infinity after the context's patience. */
export async function recovery({ deployment: { ledgerReader }, patienceMs }: FaultContext): Promise<number> {
  const begun = performance.now();
  const seconds = (): number => (performance.now() - begun) / 1000;
  let last: number | undefined;
  while (seconds() < patienceMs / 1000) {
    // While the storage cannot be read, it is read again.
    last ??= await ledgerReader.last();
    if (last !== undefined && (await ledgerReader.open(last)) === 0) return seconds();
    await delay(50);
  }
  return Number.POSITIVE_INFINITY;
}

async function within<Value>(seconds: number, action: string, promise: Promise<Value>): Promise<Value> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`${action} took more than ${seconds} s`)),
    seconds * 1000,
  );
  return Promise.race([promise, late.promise]).finally(() => clearTimeout(timer));
}

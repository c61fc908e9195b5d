import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Evidence } from './evidence.ts';
import { type Figures, type Violation, Violations } from './findings.ts';
import { createLoad } from './load.ts';
import { createRandom } from './random.ts';
import type { Scenario, Stage } from './scenario.ts';
import type { Servers } from './servers.ts';
import { nextAsk, plantTree } from './tree.ts';
import { verify } from './verify.ts';
import { createWorld, repository, startAll, type World } from './world.ts';

export interface Result {
  readonly scenario: string;
  readonly about: string;
  readonly seed: number;
  readonly seconds: number;
  /** Undefined when it did not come that far. */
  readonly figures: Figures | undefined;
  readonly violations: readonly Violation[];
}

export interface RunOptions {
  readonly servers: Servers;
  readonly seed: number;
  /** Journals, and the logs of what failed, are written below it. */
  readonly folder: string;
  /** The source tree that is run. Default this one. */
  readonly source?: string;
  /** The source tree that runs at first, in scenarios that restart. Default the same. */
  readonly old?: string;
}

/** Runs a scenario from an empty world to its findings. Never rejects: what goes wrong is a violation. */
export async function runScenario(scenario: Scenario, options: RunOptions): Promise<Result> {
  const { servers, seed, source = repository } = options;
  const begun = performance.now();
  const violations = new Violations();
  const folder = join(options.folder, scenario.name);
  mkdirSync(folder, { recursive: true });
  let figures: Figures | undefined;
  try {
    const needed = await servers.ready(scenario.world ?? {});
    const parts = { ...needed, source, old: options.old ?? source };
    const world = await createWorld(scenario.world ?? {}, parts);
    try {
      figures = await play(scenario, world, join(folder, 'journal.jsonl'), seed, violations);
    } catch (error) {
      violations.add('harness', error instanceof Error ? error.message : String(error));
      for (const mishap of world.mishaps) violations.add('mishap', mishap);
    } finally {
      await world[Symbol.asyncDispose]();
      if (violations.all.length > 0) writeFileSync(join(folder, 'log.txt'), world.log());
    }
  } catch (error) {
    violations.add('harness', error instanceof Error ? (error.stack ?? '') : String(error));
  }
  return {
    scenario: scenario.name,
    about: scenario.about,
    seed,
    seconds: (performance.now() - begun) / 1000,
    figures,
    violations: violations.all,
  };
}

async function play(
  scenario: Scenario,
  world: World,
  journal: string,
  seed: number,
  violations: Violations,
): Promise<Figures> {
  plantTree(world.root);
  await startAll(world, scenario.world?.running);
  const load = createLoad(world.url, journal, createRandom(seed), {
    rate: 120,
    atOnce: 24,
    next: nextAsk,
    ...scenario.load,
  });
  const stage: Stage = {
    world,
    load,
    random: createRandom(seed + 1),
    expect(isSo, otherwise) {
      if (!isSo) violations.add('expectation', otherwise);
    },
  };
  let faultAt: number;
  let healedAt: number;
  let recovering: Promise<number>;
  try {
    load.resume();
    await load.untilAccepted(scenario.before ?? 40);
    faultAt = Date.now();
    await within(scenario.faultSeconds ?? 60, 'the fault', scenario.fault(stage));
    await within(60, 'the repair', repair(scenario, stage));
    healedAt = Date.now();
    recovering = recovery(world.evidence);
    load.resume();
    await load.untilAccepted(20);
  } finally {
    await load.pause();
  }
  const times = { faultAt, healedAt, recoverySeconds: await recovering };
  return verify(world, journal, times, scenario.expect ?? {}, violations);
}

/** Seconds until all that is open now is closed; infinite when it is not within a minute. */
async function recovery(evidence: Evidence): Promise<number> {
  const begun = performance.now();
  const last = (await evidence.last()) ?? 0;
  while (performance.now() - begun < 60_000) {
    if ((await evidence.open(last)) === 0) return (performance.now() - begun) / 1000;
    await delay(50);
  }
  return Number.POSITIVE_INFINITY;
}

async function repair(scenario: Scenario, stage: Stage): Promise<void> {
  await scenario.heal?.(stage);
  await startAll(stage.world);
}

async function within<Value>(seconds: number, what: string, promise: Promise<Value>): Promise<Value> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`${what} took more than ${seconds} s`)),
    seconds * 1000,
  );
  return Promise.race([promise, late.promise]).finally(() => clearTimeout(timer));
}

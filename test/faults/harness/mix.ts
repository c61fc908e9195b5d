import { join } from 'node:path';
import { createMixCourse } from './mix-course.ts';
import { breakAndRepair, recovery, repair } from './play.ts';
import type { Plot } from './run-scenario.ts';
import type { Scenario, Stage } from './scenario.ts';
import { type Course, defaultRecoverySeconds, type Span } from './verify.ts';
import type { WorldOptions } from './world.ts';

export interface MixOptions {
  readonly minutes: number;
  readonly ledger: 'sqlite' | 'postgres';
  /** All that there are; those that cannot be part of it are left out. */
  readonly scenarios: readonly Scenario[];
  /** In which all of them can happen. */
  readonly world: WorldOptions;
  readonly say: (line: string) => void;
}

/** How many faults come before the last one's traces are gone. */
const inHaste = 0.4;

/** Faults at random, one after the other and often before the last one is recovered from, in one world under load. */
export function mixOf(options: MixOptions): Plot {
  const { ledger, world, minutes } = options;
  const scenarios = options.scenarios.filter(
    ({ mixes = ['sqlite', 'postgres'], missing }) => mixes.includes(ledger) && missing?.() === undefined,
  );
  return {
    name: `mix-${ledger}`,
    about: `${minutes} minutes of ${scenarios.length} faults at random, the ledger in ${ledger}`,
    world,
    load: { rate: 60 },
    expect: { ends: Object.assign({}, ...scenarios.map(({ expect }) => expect?.ends)) },
    play: (stage) => play(stage, scenarios, options),
  };
}

async function play(stage: Stage, scenarios: readonly Scenario[], options: MixOptions): Promise<Course> {
  const { load, random, violations } = stage;
  const until = performance.now() + options.minutes * 60_000;
  const refusable: Span[] = [];
  let longest = 0;
  const tell = createMixCourse(stage.world, join(load.journal, '..', 'course.md'));

  const recovered = async (after: string): Promise<string> => {
    const seconds = await recovery(stage);
    longest = Math.max(longest, seconds);
    if (seconds > defaultRecoverySeconds)
      violations.add('slow recovery', `${seconds.toFixed(1)} s after ${after}`);
    return `recovered in ${seconds.toFixed(1)} s`;
  };

  while (performance.now() < until) {
    const scenario = random.pick(scenarios);
    const haste = random.next() < inHaste;
    const begun = performance.now();
    let failure = '';
    load.resume();
    try {
      const span = await breakAndRepair(scenario, stage);
      if (scenario.expect?.refusals === true) refusable.push(span);
    } catch (error) {
      failure = `${(error as Error).message}; `;
      violations.add('harness', `${scenario.name}: ${(error as Error).message}`);
      await repair(scenario, stage).catch((failed) =>
        violations.add('harness', `${scenario.name}: ${failed}`),
      );
    }
    const seconds = (performance.now() - begun) / 1000;
    load.resume();
    const outcome = failure + (haste ? 'not waited for' : await recovered(scenario.name));
    const { accepted } = load;
    tell({ fault: scenario.name, seconds, outcome, accepted });
    options.say(`    ${scenario.name} ${seconds.toFixed(1)} s, ${outcome}; ${accepted} accepted`);
  }
  await load.pause();
  await recovered('the last fault');
  return { refusable, recoverySeconds: longest };
}

import { join } from 'node:path';
import type { DeploymentOptions } from './deployment.ts';
import { createMixCourse } from './mix-course.ts';
import { breakAndRepair, recovery, repair } from './play.ts';
import type { Experiment } from './run-scenario.ts';
import type { FaultContext, Scenario } from './scenario.ts';
import { defaultRecoverySeconds, type FaultOutcome, type Span } from './verify.ts';

export interface MixOptions {
  readonly minutes: number;
  readonly ledger: 'sqlite' | 'postgres';
  /** All scenarios; those that a mix on this ledger cannot play are left out. */
  readonly scenarios: readonly Scenario[];
  /** A deployment in which all of them can be played. */
  readonly deployment: DeploymentOptions;
  readonly say: (line: string) => void;
}

/** Share of faults whose recovery is not waited for. */
const unawaitedShare = 0.4;

/** Plays random faults in one deployment under load, often before it has recovered from the last one. */
export function mixOf(options: MixOptions): Experiment {
  const { ledger, deployment, minutes } = options;
  const scenarios = options.scenarios.filter(
    ({ mixes = ['sqlite', 'postgres'], missing }) => mixes.includes(ledger) && missing?.() === undefined,
  );
  return {
    name: `mix-${ledger}`,
    about: `${minutes} minutes of ${scenarios.length} faults at random, the ledger in ${ledger}`,
    deployment,
    load: { rate: 60 },
    expect: { ends: Object.assign({}, ...scenarios.map(({ expect }) => expect?.ends)) },
    play: (context) => play(context, scenarios, options),
  };
}

async function play(
  context: FaultContext,
  scenarios: readonly Scenario[],
  options: MixOptions,
): Promise<FaultOutcome> {
  const { load, random, violations } = context;
  const until = performance.now() + options.minutes * 60_000;
  const refusable: Span[] = [];
  let longest = 0;
  const tell = createMixCourse(context.deployment, join(load.journal, '..', 'course.md'));

  const recovered = async (after: string): Promise<string> => {
    const seconds = await recovery(context);
    longest = Math.max(longest, seconds);
    if (seconds > defaultRecoverySeconds)
      violations.add('slow recovery', `${seconds.toFixed(1)} s after ${after}`);
    return `recovered in ${seconds.toFixed(1)} s`;
  };

  while (performance.now() < until) {
    const scenario = random.pick(scenarios);
    const unawaited = random.next() < unawaitedShare;
    const begun = performance.now();
    let failure = '';
    load.resume();
    try {
      const span = await breakAndRepair(scenario, context);
      if (scenario.expect?.refusals === true) refusable.push(span);
    } catch (error) {
      failure = `${(error as Error).message}; `;
      violations.add('harness', `${scenario.name}: ${(error as Error).message}`);
      await repair(scenario, context).catch((failed) =>
        violations.add('harness', `${scenario.name}: ${failed}`),
      );
    }
    const seconds = (performance.now() - begun) / 1000;
    load.resume();
    const outcome = failure + (unawaited ? 'not waited for' : await recovered(scenario.name));
    const { accepted } = load;
    tell({ fault: scenario.name, seconds, outcome, accepted });
    options.say(`    ${scenario.name} ${seconds.toFixed(1)} s, ${outcome}; ${accepted} accepted`);
  }
  await load.pause();
  await recovered('the last fault');
  return { refusable, recoverySeconds: longest };
}

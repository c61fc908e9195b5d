import { createMutant, type Patch } from './mutant.ts';
import { type RunOptions, runScenario, type ScenarioResult } from './run-scenario.ts';
import type { Scenario } from './scenario.ts';
import type { ViolationKind } from './violations.ts';

/** Negative control: a planted defect that must make a scenario fail. */
export interface Control {
  readonly name: string;
  readonly about: string;
  readonly scenario: Scenario;
  /** Changes of both runs. With them and without the defect the scenario must be green. */
  readonly common?: readonly Patch[];
  readonly defect: readonly Patch[];
  /** Kinds of violation; the defect must cause at least one of them. */
  readonly expected: readonly ViolationKind[];
}

export interface ControlResult {
  readonly name: string;
  readonly about: string;
  readonly scenario: string;
  /** The run without the defect. */
  readonly baseline: ScenarioResult;
  /** The run with the defect. */
  readonly mutant: ScenarioResult;
  /** Whether the baseline is green and the mutant is red for an expected reason. */
  readonly holds: boolean;
}

/** Just above the bound of recovery, so that a lost request is reported soon. */
const patienceMs = 16_000;

/** Plays the scenario without and with the defect. Throws when a patch does not fit the source. */
export async function runControl(control: Control, options: RunOptions): Promise<ControlResult> {
  const { name, about, scenario, common = [], defect, expected } = control;
  using baselineSource = createMutant(common);
  using mutantSource = createMutant([...common, ...defect]);
  const play = (as: string, source: string): Promise<ScenarioResult> =>
    runScenario({ ...scenario, name: `control-${name}-${as}` }, { patienceMs, ...options, source });
  const baseline = await play('baseline', baselineSource.path);
  const mutant = await play('mutant', mutantSource.path);
  const holds =
    baseline.violations.length === 0 && mutant.violations.some(({ kind }) => expected.includes(kind));
  return { name, about, scenario: scenario.name, baseline, mutant, holds };
}

import type { ViolationKind } from './findings.ts';
import { createMutant, type Patch } from './mutant.ts';
import { type Result, type RunOptions, runScenario } from './run-scenario.ts';
import type { Scenario } from './scenario.ts';

/** A defect that must make a scenario fail, or the scenario shows nothing. */
export interface Control {
  readonly name: string;
  readonly about: string;
  readonly scenario: Scenario;
  /** What is changed in both runs: without the defect the scenario must still be green. */
  readonly alike?: readonly Patch[];
  readonly defect: readonly Patch[];
  /** What must be found, at least one of these. */
  readonly red: readonly ViolationKind[];
}

export interface Verdict {
  readonly name: string;
  readonly about: string;
  readonly scenario: string;
  /** Without the defect. */
  readonly sound: Result;
  readonly harmed: Result;
  /** Sound is green, and harmed is red for the reason that was expected. */
  readonly holds: boolean;
}

/** No longer than the recovery may take, so that what is lost for good is known soon. */
const patienceMs = 16_000;

/** Plays the scenario twice, once with the defect. Throws when the source is not what the patches were made for. */
export async function runControl(control: Control, options: RunOptions): Promise<Verdict> {
  const { name, about, scenario, alike = [], defect, red } = control;
  using soundSource = createMutant(alike);
  using harmedSource = createMutant([...alike, ...defect]);
  const play = (as: string, source: string): Promise<Result> =>
    runScenario({ ...scenario, name: `control-${name}-${as}` }, { patienceMs, ...options, source });
  const sound = await play('sound', soundSource.path);
  const harmed = await play('harmed', harmedSource.path);
  const holds = sound.violations.length === 0 && harmed.violations.some(({ kind }) => red.includes(kind));
  return { name, about, scenario: scenario.name, sound, harmed, holds };
}

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createDeployment, type DeploymentOptions, repository, startAll } from './deployment.ts';
import { createLoad, type LoadOptions } from './load.ts';
import { writeLog } from './log-file.ts';
import { playScenario } from './play.ts';
import { createRandom } from './random.ts';
import type { Expectations, FaultContext, Scenario } from './scenario.ts';
import type { SharedServers } from './servers.ts';
import { nextRequest, plantFiles } from './tree.ts';
import { type FaultOutcome, verify } from './verify.ts';
import { type Figures, type Violation, Violations } from './violations.ts';

export interface ScenarioResult {
  readonly name: string;
  readonly about: string;
  readonly seed: number;
  readonly seconds: number;
  /** Undefined when the run failed before its checks. */
  readonly figures: Figures | undefined;
  readonly violations: readonly Violation[];
}

export interface RunOptions {
  readonly servers: SharedServers;
  readonly seed: number;
  /** Folder for journals and for the logs of failed runs. */
  readonly folder: string;
  /** Source tree of the programs. Default: this one. */
  readonly source?: string;
  /** Source tree of the programs until they are restarted. Default: `source`. */
  readonly old?: string;
  /** See `FaultContext`. Default: 45 s. */
  readonly patienceMs?: number;
}

/** Faults under load in one deployment, whose promises are then verified. */
export interface Experiment {
  readonly name: string;
  readonly about: string;
  readonly deployment?: DeploymentOptions;
  readonly load?: Partial<LoadOptions>;
  readonly expect?: Expectations;
  play(context: FaultContext): Promise<FaultOutcome>;
}

export function runScenario(scenario: Scenario, options: RunOptions): Promise<ScenarioResult> {
  return runExperiment({ ...scenario, play: (context) => playScenario(scenario, context) }, options);
}

/** Runs an experiment. Never rejects: an error becomes a violation of kind `harness`. */
export async function runExperiment(experiment: Experiment, options: RunOptions): Promise<ScenarioResult> {
  const { servers, seed, source = repository, patienceMs = 45_000 } = options;
  const begun = performance.now();
  const violations = new Violations();
  const folder = join(options.folder, experiment.name);
  mkdirSync(folder, { recursive: true });
  let figures: Figures | undefined;
  try {
    const needed = await servers.prepare(experiment.deployment ?? {});
    const deployment = await createDeployment(experiment.deployment ?? {}, {
      ...needed,
      source,
      old: options.old ?? source,
    });
    try {
      plantFiles(deployment.root);
      await startAll(deployment, experiment.deployment?.running);
      const load = createLoad(deployment.url, join(folder, 'journal.jsonl'), createRandom(seed), {
        rate: 120,
        atOnce: 24,
        next: nextRequest,
        ...experiment.load,
      });
      const random = createRandom(seed + 1);
      const context: FaultContext = { deployment, load, random, violations, patienceMs, cleanups: [] };
      const outcome = await experiment.play(context).finally(() => load.pause());
      figures = await verify(context, outcome, experiment.expect ?? {});
    } catch (error) {
      violations.add('harness', error instanceof Error ? (error.stack ?? error.message) : String(error));
      for (const exit of deployment.unexpectedExits) violations.add('unexpected exit', exit);
    } finally {
      await deployment[Symbol.asyncDispose]();
      if (violations.all.length > 0) writeLog(join(folder, 'log.txt'), deployment.log());
    }
  } catch (error) {
    violations.add('harness', error instanceof Error ? (error.stack ?? '') : String(error));
  }
  return {
    name: experiment.name,
    about: experiment.about,
    seed,
    seconds: (performance.now() - begun) / 1000,
    figures,
    violations: violations.all,
  };
}

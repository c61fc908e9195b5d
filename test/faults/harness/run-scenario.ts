import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Figures, type Violation, Violations } from './findings.ts';
import { createLoad, type LoadOptions } from './load.ts';
import { writeLog } from './log-file.ts';
import { playScenario } from './play.ts';
import { createRandom } from './random.ts';
import type { Expectations, Scenario, Stage } from './scenario.ts';
import type { Servers } from './servers.ts';
import { nextAsk, plantTree } from './tree.ts';
import { type Course, verify } from './verify.ts';
import { createWorld, repository, startAll, type WorldOptions } from './world.ts';

export interface Result {
  readonly name: string;
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
  /** See `Stage`. Default 45 s. */
  readonly patienceMs?: number;
}

/** What happens between an empty world and its findings. */
export interface Plot {
  readonly name: string;
  readonly about: string;
  readonly world?: WorldOptions;
  readonly load?: Partial<LoadOptions>;
  readonly expect?: Expectations;
  play(stage: Stage): Promise<Course>;
}

export function runScenario(scenario: Scenario, options: RunOptions): Promise<Result> {
  return runPlot({ ...scenario, play: (stage) => playScenario(scenario, stage) }, options);
}

/** Never rejects: what goes wrong is a violation. */
export async function runPlot(plot: Plot, options: RunOptions): Promise<Result> {
  const { servers, seed, source = repository, patienceMs = 45_000 } = options;
  const begun = performance.now();
  const violations = new Violations();
  const folder = join(options.folder, plot.name);
  mkdirSync(folder, { recursive: true });
  let figures: Figures | undefined;
  try {
    const needed = await servers.ready(plot.world ?? {});
    const world = await createWorld(plot.world ?? {}, { ...needed, source, old: options.old ?? source });
    try {
      plantTree(world.root);
      await startAll(world, plot.world?.running);
      const load = createLoad(world.url, join(folder, 'journal.jsonl'), createRandom(seed), {
        rate: 120,
        atOnce: 24,
        next: nextAsk,
        ...plot.load,
      });
      const random = createRandom(seed + 1);
      const stage: Stage = { world, load, random, violations, patienceMs, undoing: [] };
      const course = await plot.play(stage).finally(() => load.pause());
      figures = await verify(stage, course, plot.expect ?? {});
    } catch (error) {
      violations.add('harness', error instanceof Error ? (error.stack ?? error.message) : String(error));
      for (const mishap of world.mishaps) violations.add('mishap', mishap);
    } finally {
      await world[Symbol.asyncDispose]();
      if (violations.all.length > 0) writeLog(join(folder, 'log.txt'), world.log());
    }
  } catch (error) {
    violations.add('harness', error instanceof Error ? (error.stack ?? '') : String(error));
  }
  return {
    name: plot.name,
    about: plot.about,
    seed,
    seconds: (performance.now() - begun) / 1000,
    figures,
    violations: violations.all,
  };
}

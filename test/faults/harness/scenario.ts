import type { ViolationKind } from './findings.ts';
import type { Load, LoadOptions } from './load.ts';
import type { Random } from './random.ts';
import type { World, WorldOptions } from './world.ts';

/** What a scenario breaks, and with what. */
export interface Stage {
  readonly world: World;
  readonly load: Load;
  readonly random: Random;
  /** Adds to the report's violations, for what only this scenario knows. */
  expect(isSo: boolean, otherwise: string): void;
}

export interface Expectations {
  /** Bound of the recovery, seconds. Default 15. */
  readonly recoverySeconds?: number;
  /** Whether a 503 is right while the fault lasts: only when the ledger cannot be written. Default false. */
  readonly refusals?: boolean;
  /** The status of the stored answer of a path that ends in another way than the direct call. */
  readonly ends?: Readonly<Record<string, number>>;
}

/** One fault, or several, under load. All that is not said here is the same in every scenario. */
export interface Scenario {
  readonly name: string;
  /** For the report: what happens, in one line. */
  readonly about: string;
  /** Why it cannot be played on this machine; undefined when it can. */
  readonly missing?: () => string | undefined;
  readonly world?: WorldOptions;
  readonly load?: Partial<LoadOptions>;
  /** How many requests are accepted before the fault. Default 40. */
  readonly before?: number;
  /** Breaks it. The load goes on meanwhile. Resolves when it is broken and has been for long enough. */
  readonly fault: (stage: Stage) => Promise<void>;
  /** Repairs it; the runner then starts whatever does not run. */
  readonly heal?: (stage: Stage) => Promise<void>;
  readonly expect?: Expectations;
  /** Bound of the fault itself, seconds. Default 60. */
  readonly faultSeconds?: number;
}

/** A change of the product that must make a scenario fail, or the scenario shows nothing. */
export interface Control {
  readonly name: string;
  readonly about: string;
  /** The scenario's name. */
  readonly scenario: string;
  /** What is changed in both runs: without the defect the scenario must still be green. */
  readonly alike?: readonly Patch[];
  readonly defect: readonly Patch[];
  /** What must be found, at least one of these. */
  readonly red: readonly ViolationKind[];
}

/** In one file of the source tree; `find` must be there exactly once. */
export interface Patch {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

import type { Violations } from './findings.ts';
import type { Load, LoadOptions } from './load.ts';
import type { Random } from './random.ts';
import type { World, WorldOptions } from './world.ts';

/** What a scenario breaks, and with what. */
export interface Stage {
  readonly world: World;
  readonly load: Load;
  readonly random: Random;
  /** What was found; for what only a scenario knows there is `expectation`. */
  readonly violations: Violations;
  /** How long an answer is waited for before it is called lost: long enough to tell late from never. */
  readonly patienceMs: number;
  /** What a fault has set up, for its repair to take away. */
  readonly undoing: (() => Promise<void> | void)[];
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
  /** Which of the random mixes it is part of, by their ledger. Default both. */
  readonly mixes?: readonly ('sqlite' | 'postgres')[];
  /** Bound of the fault itself, seconds. Default 60. */
  readonly faultSeconds?: number;
}

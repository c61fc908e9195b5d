import type { Deployment, DeploymentOptions } from './deployment.ts';
import type { Load, LoadOptions } from './load.ts';
import type { Random } from './random.ts';
import type { Violations } from './violations.ts';

/** The deployment that a fault breaks, with its load and its checks. */
export interface FaultContext {
  readonly deployment: Deployment;
  readonly load: Load;
  readonly random: Random;
  /** Broken invariants. A scenario adds its own with `expect`. */
  readonly violations: Violations;
  /** Time after which a missing answer counts as lost: long enough to tell late from never. */
  readonly patienceMs: number;
  /** Functions that undo a fault; its repair calls them. */
  readonly cleanups: (() => Promise<void> | void)[];
}

export interface Expectations {
  /** Bound of the recovery, in seconds. Default: 15. */
  readonly recoverySeconds?: number;
  /** Whether 503 is allowed during the fault, because the ledger cannot be written. Default: false. */
  readonly refusals?: boolean;
  /** Status of the stored answer, by path, where it differs from that of the direct call. */
  readonly ends?: Readonly<Record<string, number>>;
}

/** One or more faults under load. Load and checks are common to all scenarios unless set here. */
export interface Scenario {
  readonly name: string;
  /** One line for the report. */
  readonly about: string;
  /** Returns why this machine cannot play the scenario; undefined when it can. */
  readonly missing?: () => string | undefined;
  readonly deployment?: DeploymentOptions;
  readonly load?: Partial<LoadOptions>;
  /** Requests accepted before the fault. Default: 40. */
  readonly before?: number;
  /** Injects the fault while the load runs. Resolves when the fault has lasted long enough. */
  readonly fault: (context: FaultContext) => Promise<void>;
  /** Repairs the fault; the harness then starts all processes that do not run. */
  readonly repair?: (context: FaultContext) => Promise<void>;
  readonly expect?: Expectations;
  /** Ledgers whose random mixes include the scenario. Default: both. */
  readonly mixes?: readonly ('sqlite' | 'postgres')[];
  /** Time limit of `fault`, in seconds. Default: 60. */
  readonly faultSeconds?: number;
}

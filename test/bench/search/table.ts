import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { dirname } from 'node:path';

/** One line of the benchmark's table. */
export interface TableRow {
  readonly what: string;
  /** Required values, in words. */
  readonly must: string;
  /** Measured values, in words, with ratios. */
  readonly measured: string;
  readonly holds: boolean;
  /** Measured numbers: milliseconds, unless the name has another unit. */
  readonly numbers: Readonly<Record<string, number>>;
}

export type PhaseName = 'build' | 'restart' | 'queries' | 'listing';

interface Results {
  readonly machine: string;
  readonly files: number;
  /** Rows of each phase, with the time of its run. */
  readonly phases: Partial<Record<PhaseName, { readonly at: string; readonly rows: readonly TableRow[] }>>;
}

const order: readonly PhaseName[] = ['build', 'restart', 'queries', 'listing'];

/** Adds a phase's rows to the file of results. Keeps the other phases' rows if they have the same number of files. */
export function record(path: string, files: number, phase: PhaseName, rows: readonly TableRow[]): Results {
  const before = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Results) : undefined;
  const phases = before?.files === files ? before.phases : {};
  const at = new Date().toISOString();
  const results = { machine: machine(), files, phases: { ...phases, [phase]: { at, rows } } };
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(results, undefined, 2)}\n`);
  return results;
}

/** Formats results as a Markdown table. */
export function resultsTable({ machine, files, phases }: Results): string {
  const rows = order.flatMap((phase) => phases[phase]?.rows ?? []);
  const lines = rows.map(
    ({ what, must, measured, holds }) => `| ${what} | ${must} | ${measured} | ${holds ? 'yes' : '**no**'} |`,
  );
  const head = ['| what | must | measured | holds |', '|---|---|---|---|'];
  return [`${files.toLocaleString('en')} files. ${machine}`, '', ...head, ...lines].join('\n');
}

function machine(): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown processor';
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${cpus().length} cores (${model}), ${memory} GiB, Linux ${release()}, Node ${process.version}`;
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

export function millis(ms: number): string {
  return `${ms < 10 ? ms.toFixed(1) : ms.toFixed(0)} ms`;
}

/** Formats the ratio of `a` to `b`: `3.4 ×`. */
export function times(a: number, b: number): string {
  const ratio = a / b;
  return `${ratio < 10 ? ratio.toFixed(2) : ratio.toFixed(0)} ×`;
}

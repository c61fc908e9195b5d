import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { dirname } from 'node:path';

/** One figure of the benchmark. */
export interface Row {
  readonly what: string;
  /** What is demanded, in words. */
  readonly must: string;
  /** What was measured, in words, with ratios. */
  readonly measured: string;
  readonly holds: boolean;
  /** The numbers behind the words: milliseconds, unless the name says otherwise. */
  readonly numbers: Readonly<Record<string, number>>;
}

export type PhaseName = 'build' | 'restart' | 'queries' | 'listing';

interface Results {
  readonly machine: string;
  readonly files: number;
  /** The rows of a phase, and when it ran. */
  readonly phases: Partial<Record<PhaseName, { readonly at: string; readonly rows: readonly Row[] }>>;
}

const order: readonly PhaseName[] = ['build', 'restart', 'queries', 'listing'];

/** Adds a phase's rows to the file of results; what other phases measured, on as many files, stays. */
export function record(path: string, files: number, phase: PhaseName, rows: readonly Row[]): Results {
  const before = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Results) : undefined;
  const phases = before?.files === files ? before.phases : {};
  const at = new Date().toISOString();
  const results = { machine: machine(), files, phases: { ...phases, [phase]: { at, rows } } };
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(results, undefined, 2)}\n`);
  return results;
}

/** As Markdown, which can be read in a terminal and put in a document. */
export function markdown({ machine, files, phases }: Results): string {
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

/** `3.4 ×`, how many times `a` is `b`. */
export function times(a: number, b: number): string {
  const ratio = a / b;
  return `${ratio < 10 ? ratio.toFixed(2) : ratio.toFixed(0)} ×`;
}

/** The value that `share` (0 to 1) of all are at or below. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

import type { Idle } from './idle.ts';
import type { Sample } from './load.ts';
import type { Cell } from './rows.ts';
import { sizes } from './tree.ts';

/** Medians of one cell of a row. */
export interface Measured extends Cell, Sample {
  readonly row: string;
  readonly runs: number;
}

export interface Report {
  readonly when: string;
  readonly machine: string;
  readonly secondsPerRun: number;
  readonly rows: readonly { readonly key: string; readonly name: string; readonly missing?: string }[];
  readonly measured: readonly Measured[];
  readonly figures: readonly Figure[];
  /** Undefined when not measured. */
  readonly idle: Idle | undefined;
}

/** Wanted and measured ratio of two rows in one run, with 32 connections. */
export interface Figure {
  readonly name: string;
  readonly wanted: number;
  /** Undefined when a row is missing. */
  readonly ratio: number | undefined;
}

export const mainConnections = 32;

const goals = [
  ['cached', 20, 'koa', 0.7],
  ['cached', 20, 'nginx', 1],
  ['cached', 20, 'flask', 35],
  ['cached-full', 20, 'koa', 0.4],
  ['cached', 1_000, 'koa', 0.7],
  ['cached', 1_000, 'nginx', 15],
  ['cached-304', 20, 'koa-304', 0.8],
  ['uncached', 20, 'grpc', 0.65],
  ['uncached', 20, 'go', 0.8],
  ['uncached', 1_000, 'go', 1.2],
  ['uncached', 1_000, 'nginx', 0.15],
] as const;

const idleGoals = { residentMb: 150, startMs: 700 };

export function figuresOf(measured: readonly Measured[], nameOf: (key: string) => string): readonly Figure[] {
  const rate = (row: string, size: number) =>
    measured.find((each) => each.row === row && each.size === size && each.connections === mainConnections)
      ?.perSecond;
  return goals.map(([ours, size, theirs, wanted]) => {
    const [a, b] = [rate(ours, size), rate(theirs, size)];
    return {
      name: `${nameOf(ours)} against ${nameOf(theirs)}, ${size} entries`,
      wanted,
      ratio: a === undefined || b === undefined || b === 0 ? undefined : a / b,
    };
  });
}

/** Formats a report for the documentation: a table of answers per second, and one of ratios. */
export function markdown(report: Report): string {
  const { rows, measured, figures, idle, machine, when, secondsPerRun } = report;
  const connections = [...new Set(measured.map((each) => each.connections))].sort((a, b) => a - b);
  const used = sizes.filter((size) => measured.some((each) => each.size === size));
  const cells = used.flatMap((size) => connections.map((count) => ({ size, connections: count })));
  const head = cells.map((cell) => `${cell.size} entries, ${cell.connections} c`);
  const lines = rows.map(({ key, name, missing }) => {
    const values = cells.map((cell) => {
      const found = measured.find(
        (each) => each.row === key && each.size === cell.size && each.connections === cell.connections,
      );
      return found === undefined ? '' : rounded(found.perSecond);
    });
    return `| ${name}${missing === undefined ? '' : ` (missing: ${missing})`} | ${values.join(' | ')} |`;
  });
  const met = figures.map(({ name, wanted, ratio }) => {
    const shown = ratio === undefined ? 'not measured' : `${ratio.toFixed(ratio < 10 ? 2 : 0)} ×`;
    return `| ${name} | ≥ ${wanted} × | ${shown} |`;
  });
  const still = idle && [
    `| memory of an idle gateway | ≤ ${idleGoals.residentMb} MB | ${idle.residentMb} MB |`,
    `| from its start to the first answer | ≤ ${idleGoals.startMs} ms | ${idle.startMs} ms |`,
  ];
  return [
    `Answers per second, by size of the folder and connections (c). ${when}; ${machine}; runs of ${secondsPerRun} s.`,
    '',
    `| | ${head.join(' | ')} |`,
    `|---|${cells.map(() => '--:|').join('')}`,
    ...lines,
    '',
    `| with ${mainConnections} connections | wanted | measured |`,
    '|---|--:|--:|',
    ...met,
    ...(still ?? []),
  ].join('\n');
}

function rounded(value: number): string {
  if (value < 1) return '< 1';
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(1);
}

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import type { Verdict } from './control.ts';
import type { Result } from './run-scenario.ts';
import { repository } from './world.ts';

export interface Skipped {
  readonly name: string;
  readonly why: string;
}

export interface Report {
  readonly at: string;
  readonly commit: string;
  readonly machine: string;
  readonly seed: number;
  readonly scenarios: readonly Result[];
  readonly skipped: readonly Skipped[];
  readonly mixes: readonly Result[];
  readonly controls: readonly Verdict[];
}

type Findings = Pick<Report, 'scenarios' | 'skipped' | 'mixes' | 'controls'>;

/** Writes `report.json` and `report.md`. With `keep`, what was not played this time stays as it was. */
export function writeReport(folder: string, seed: number, findings: Findings, keep: boolean): Report {
  const file = join(folder, 'report.json');
  const before = keep ? readReport(file) : undefined;
  const report: Report = {
    at: new Date().toISOString(),
    commit: tell('git', 'describe', '--always', '--dirty'),
    machine: machine(),
    seed,
    scenarios: merged(before?.scenarios, findings.scenarios),
    skipped: merged(before?.skipped, findings.skipped),
    mixes: merged(before?.mixes, findings.mixes),
    controls: merged(before?.controls, findings.controls),
  };
  writeFileSync(file, `${JSON.stringify(report, undefined, 1)}\n`);
  writeFileSync(join(folder, 'report.md'), markdownOf(report));
  return report;
}

function readReport(file: string): Report | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Report;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function merged<Row extends { readonly name: string }>(
  before: readonly Row[] | undefined,
  now: readonly Row[],
): readonly Row[] {
  const rows = new Map([...(before ?? []), ...now].map((row) => [row.name, row]));
  return [...rows.values()];
}

function machine(): string {
  const cores = `${availableParallelism()} × ${cpus()[0]?.model.trim() ?? 'unknown'}`;
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  return `${cores}, ${memory}, Linux ${release()}, Node ${process.versions.node}`;
}

function tell(program: string, ...args: readonly string[]): string {
  try {
    return execFileSync(program, args, { cwd: repository, encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}

export function markdownOf({ at, commit, machine, seed, ...found }: Report): string {
  const { scenarios, skipped, mixes, controls } = found;
  const blocks = [`Commit ${commit}, seed ${seed}, ${at.slice(0, 10)}, on ${machine}.`];
  if (scenarios.length > 0) blocks.push(tableOf([...scenarios, sumOf(scenarios)]));
  if (mixes.length > 0) blocks.push(tableOf(mixes));
  if (skipped.length > 0)
    blocks.push(skipped.map(({ name, why }) => `- \`${name}\` was skipped: ${why}`).join('\n'));
  if (controls.length > 0) blocks.push(controlsOf(controls));
  return `${blocks.join('\n\n')}\n`;
}

const columns = ['accepted', 'answered', 'lost', 'duplicates', 'refused', 'republished'] as const;

function tableOf(results: readonly Result[]): string {
  const head = [
    'scenario',
    'what happens',
    'sent',
    ...columns,
    'recovery (s)',
    'peak of the gateway (MiB)',
    '',
  ];
  const rows = results.map(({ name, about, figures, violations }) => [
    name === total ? total : `\`${name}\``,
    about,
    String(figures?.sent ?? ''),
    ...columns.map((column) => String(figures?.[column] ?? '')),
    figures === undefined ? '' : seconds(figures.recoverySeconds),
    String(figures?.peakMegabytes['gateway'] ?? ''),
    violations.length === 0
      ? 'green'
      : `**red**: ${[...new Set(violations.map(({ kind }) => kind))].join(', ')}`,
  ]);
  return grid(head, rows);
}

const total = 'all of them';

/** Sums, but the longest recovery and the highest memory. */
function sumOf(results: readonly Result[]): Result {
  const all = results.flatMap(({ figures }) => figures ?? []);
  const sum = (of: (typeof columns)[number] | 'sent' | 'direct' | 'unheard'): number =>
    all.reduce((value, figures) => value + figures[of], 0);
  return {
    name: total,
    about: '',
    seed: 0,
    seconds: results.reduce((value, result) => value + result.seconds, 0),
    figures: {
      sent: sum('sent'),
      direct: sum('direct'),
      accepted: sum('accepted'),
      answered: sum('answered'),
      lost: sum('lost'),
      duplicates: sum('duplicates'),
      refused: sum('refused'),
      unheard: sum('unheard'),
      republished: sum('republished'),
      recoverySeconds: Math.max(...all.map(({ recoverySeconds }) => recoverySeconds)),
      peakMegabytes: { gateway: Math.max(...all.map(({ peakMegabytes }) => peakMegabytes['gateway'] ?? 0)) },
    },
    violations: results.flatMap(({ violations }) => violations),
  };
}

function controlsOf(controls: readonly Verdict[]): string {
  const rows = controls.map(({ name, about, scenario, sound, harmed, holds }) => [
    `\`${name}\``,
    about,
    `\`${scenario}\``,
    sound.violations.length === 0 ? 'green' : 'red',
    harmed.violations.length === 0
      ? 'green'
      : `red: ${[...new Set(harmed.violations.map(({ kind }) => kind))].join(', ')}`,
    harmed.violations.find(({ kind }) => kind !== 'slow recovery')?.detail.split('\n')[0] ?? '',
    holds ? 'yes' : '**no**',
  ]);
  return grid(
    ['control', 'defect', 'scenario', 'without it', 'with it', 'for instance', 'found as it must be'],
    rows,
  );
}

/** JSON has no Infinity: what never recovered comes back as null. */
function seconds(value: number | null): string {
  return value === null || !Number.isFinite(value) ? 'never' : value.toFixed(1);
}

function grid(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import type { ControlResult } from './control.ts';
import { repository } from './deployment.ts';
import type { ScenarioResult } from './run-scenario.ts';

export interface Skipped {
  readonly name: string;
  readonly why: string;
}

export interface FaultReport {
  readonly at: string;
  readonly commit: string;
  readonly machine: string;
  readonly seed: number;
  readonly scenarios: readonly ScenarioResult[];
  readonly skipped: readonly Skipped[];
  readonly mixes: readonly ScenarioResult[];
  readonly controls: readonly ControlResult[];
}

type Findings = Pick<FaultReport, 'scenarios' | 'skipped' | 'mixes' | 'controls'>;

/** Writes `report.json` and `report.md`. With `keep`, results of the last report that are not new stay. */
export function writeReport(folder: string, seed: number, findings: Findings, keep: boolean): FaultReport {
  const file = join(folder, 'report.json');
  const before = keep ? readReport(file) : undefined;
  const report: FaultReport = {
    at: new Date().toISOString(),
    commit: outputOf('git', 'describe', '--always', '--dirty'),
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

function readReport(file: string): FaultReport | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as FaultReport;
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

function outputOf(program: string, ...args: readonly string[]): string {
  try {
    return execFileSync(program, args, { cwd: repository, encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}

export function markdownOf({ at, commit, machine, seed, ...found }: FaultReport): string {
  const { scenarios, skipped, mixes, controls } = found;
  const blocks = [`Commit ${commit}, seed ${seed}, ${at.slice(0, 10)}, on ${machine}.`];
  if (scenarios.length > 0) blocks.push(tableOf([...scenarios, sumOf(scenarios)]));
  if (mixes.length > 0) blocks.push(tableOf(mixes));
  if (skipped.length > 0)
    blocks.push(skipped.map(({ name, why }) => `- \`${name}\` skipped: ${why}`).join('\n'));
  if (controls.length > 0) blocks.push(controlsOf(controls));
  return `${blocks.join('\n\n')}\n`;
}

const columns = ['accepted', 'answered', 'lost', 'duplicates', 'refused', 'republished'] as const;

function tableOf(results: readonly ScenarioResult[]): string {
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

const total = 'total';

/** Sums the figures, except that recovery and memory are the maxima. */
function sumOf(results: readonly ScenarioResult[]): ScenarioResult {
  const all = results.flatMap(({ figures }) => figures ?? []);
  const sum = (of: (typeof columns)[number] | 'sent' | 'direct' | 'unanswered'): number =>
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
      unanswered: sum('unanswered'),
      republished: sum('republished'),
      recoverySeconds: Math.max(...all.map(({ recoverySeconds }) => recoverySeconds)),
      peakMegabytes: { gateway: Math.max(...all.map(({ peakMegabytes }) => peakMegabytes['gateway'] ?? 0)) },
    },
    violations: results.flatMap(({ violations }) => violations),
  };
}

function controlsOf(controls: readonly ControlResult[]): string {
  const rows = controls.map(({ name, about, scenario, baseline, mutant, holds }) => [
    `\`${name}\``,
    about,
    `\`${scenario}\``,
    baseline.violations.length === 0 ? 'green' : 'red',
    mutant.violations.length === 0
      ? 'green'
      : `red: ${[...new Set(mutant.violations.map(({ kind }) => kind))].join(', ')}`,
    mutant.violations.find(({ kind }) => kind !== 'slow recovery')?.detail.split('\n')[0] ?? '',
    holds ? 'yes' : '**no**',
  ]);
  return grid(
    ['control', 'defect', 'scenario', 'without it', 'with it', 'for instance', 'as expected'],
    rows,
  );
}

/** Formats seconds. JSON has no Infinity, so `null` also means that there was no recovery. */
function seconds(value: number | null): string {
  return value === null || !Number.isFinite(value) ? 'never' : value.toFixed(1);
}

function grid(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

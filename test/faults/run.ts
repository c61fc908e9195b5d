// `npm run faults` plays every scenario, or with `--only` those whose names contain a text. `--controls` plays the planted
// defects, `--mix 10` random faults for ten minutes; `--list` prints all names. The report is written to data/faults.

import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { controls } from './controls.ts';
import { type ControlResult, runControl } from './harness/control.ts';
import { repository } from './harness/deployment.ts';
import { type Skipped, writeReport } from './harness/report.ts';
import { type RunOptions, runExperiment, runScenario, type ScenarioResult } from './harness/run-scenario.ts';
import { createSharedServers } from './harness/servers.ts';
import { scenarios } from './scenarios/all.ts';
import { mixes } from './scenarios/mixed.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    seed: { type: 'string', default: '1' },
    /** Adds to the report of the last run instead of starting a new one. */
    keep: { type: 'boolean', default: false },
    controls: { type: 'boolean', default: false },
    mix: { type: 'string' },
    list: { type: 'boolean', default: false },
    /** Source tree of another version, with node_modules: programs run from it until they are restarted. */
    old: { type: 'string' },
  },
});
const seed = wholeNumber('seed', values.seed);
const minutes = values.mix === undefined ? undefined : wholeNumber('mix', values.mix);
const isChosen = ({ name }: { readonly name: string }): boolean =>
  values.only?.some((only) => name.includes(only)) ?? true;

// `process.exit` runs the exit handlers, which kill the processes and unmount the disks.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

if (values.list) {
  for (const { name, about } of [...scenarios, ...controls].filter(isChosen))
    console.log(`${name}: ${about}`);
} else {
  await run();
}

async function run(): Promise<void> {
  const folder = join(repository, 'data', 'faults');
  mkdirSync(folder, { recursive: true });
  const found = {
    scenarios: [] as ScenarioResult[],
    skipped: [] as Skipped[],
    mixes: [] as ScenarioResult[],
    controls: [] as ControlResult[],
  };
  await using servers = createSharedServers();
  const old = values.old === undefined ? {} : { old: resolve(values.old) };
  const options: RunOptions = { servers, seed, folder, ...old };
  // The report is written after each scenario, so that an interrupted run has one.
  const report = (): void => void writeReport(folder, seed, found, values.keep);
  const isMissing = (name: string, missing: (() => string | undefined) | undefined): boolean => {
    const why = missing?.();
    if (why === undefined) return false;
    found.skipped.push({ name, why });
    console.log(`--  ${name} skipped: ${why}`);
    return true;
  };

  if (values.controls) {
    for (const control of controls.filter(isChosen)) {
      if (isMissing(control.name, control.scenario.missing)) continue;
      const result = await runControl(control, options);
      found.controls.push(result);
      printControl(result);
      report();
    }
  } else if (minutes !== undefined) {
    for (const mix of mixes(minutes, console.log)) {
      const result = await runExperiment(mix, options);
      found.mixes.push(result);
      print(result);
      report();
    }
  } else {
    for (const scenario of scenarios.filter(isChosen)) {
      if (isMissing(scenario.name, scenario.missing)) continue;
      const result = await runScenario(scenario, options);
      found.scenarios.push(result);
      print(result);
      report();
    }
  }

  report();
  const played = found.scenarios.length + found.mixes.length + found.controls.length;
  const red =
    [...found.scenarios, ...found.mixes].filter(({ violations }) => violations.length > 0).length +
    found.controls.filter(({ holds }) => !holds).length;
  console.log(`${played} played, ${red} failed; ${join(folder, 'report.md')}`);
  if (played === 0) console.log('No name matches: see --list');
  process.exitCode = red > 0 || played === 0 ? 1 : 0;
}

function print({ name, seconds, figures, violations }: ScenarioResult): void {
  const summary =
    figures === undefined
      ? ''
      : `${figures.accepted} accepted, ${figures.answered} answered, ${figures.lost} lost, recovered in ${figures.recoverySeconds.toFixed(1)} s`;
  console.log(`${violations.length === 0 ? 'ok ' : 'RED'} ${name} (${seconds.toFixed(1)} s): ${summary}`);
  for (const { kind, detail } of violations) console.log(`      ${kind}: ${detail}`);
}

function printControl({ name, scenario, baseline, mutant, holds }: ControlResult): void {
  const colour = ({ violations }: ScenarioResult): string => (violations.length === 0 ? 'green' : 'red');
  console.log(
    `${holds ? 'ok ' : 'BAD'} ${name} in ${scenario}: without the defect ${colour(baseline)}, with it ${colour(mutant)}`,
  );
  for (const { kind, detail } of baseline.violations) console.log(`      without: ${kind}: ${detail}`);
  for (const { kind, detail } of mutant.violations) console.log(`      with: ${kind}: ${detail}`);
}

function wholeNumber(option: string, text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1)
    throw new RangeError(`--${option} must be a whole number of at least 1`);
  return number;
}

// `npm run faults`: every scenario, or those whose names hold one of `--only`; `--controls`: the defects that must be
// found; `--mix 10`: all faults at random for ten minutes; `--list`. The report is written to data/faults.

import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { controls } from './controls.ts';
import { runControl, type Verdict } from './harness/control.ts';
import { type Skipped, writeReport } from './harness/report.ts';
import { type Result, type RunOptions, runPlot, runScenario } from './harness/run-scenario.ts';
import { createServers } from './harness/servers.ts';
import { repository } from './harness/world.ts';
import { scenarios } from './scenarios/all.ts';
import { mixes } from './scenarios/mixed.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    seed: { type: 'string', default: '1' },
    /** Adds to the report of the last run instead of making a new one. */
    keep: { type: 'boolean', default: false },
    controls: { type: 'boolean', default: false },
    mix: { type: 'string' },
    list: { type: 'boolean', default: false },
    /** A tree of another version, with its node_modules: programs run from there until they are restarted. */
    old: { type: 'string' },
  },
});
const seed = wholeNumber('seed', values.seed);
const minutes = values.mix === undefined ? undefined : wholeNumber('mix', values.mix);
const isChosen = ({ name }: { readonly name: string }): boolean =>
  values.only?.some((only) => name.includes(only)) ?? true;

// What runs and what is mounted ends with this process, if that ends in this way.
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
    scenarios: [] as Result[],
    skipped: [] as Skipped[],
    mixes: [] as Result[],
    controls: [] as Verdict[],
  };
  await using servers = createServers();
  const old = values.old === undefined ? {} : { old: resolve(values.old) };
  const options: RunOptions = { servers, seed, folder, ...old };
  // After each of them, so that a run that is broken off has one, too.
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
      const verdict = await runControl(control, options);
      found.controls.push(verdict);
      sayControl(verdict);
      report();
    }
  } else if (minutes !== undefined) {
    for (const plot of mixes(minutes, console.log)) {
      const result = await runPlot(plot, options);
      found.mixes.push(result);
      say(result);
      report();
    }
  } else {
    for (const scenario of scenarios.filter(isChosen)) {
      if (isMissing(scenario.name, scenario.missing)) continue;
      const result = await runScenario(scenario, options);
      found.scenarios.push(result);
      say(result);
      report();
    }
  }

  report();
  const played = found.scenarios.length + found.mixes.length + found.controls.length;
  const red =
    [...found.scenarios, ...found.mixes].filter(({ violations }) => violations.length > 0).length +
    found.controls.filter(({ holds }) => !holds).length;
  console.log(`${played} played, ${red} not as they must be; ${join(folder, 'report.md')}`);
  if (played === 0) console.log('Nothing was played: see --list');
  process.exitCode = red > 0 || played === 0 ? 1 : 0;
}

function say({ name, seconds, figures, violations }: Result): void {
  const told =
    figures === undefined
      ? ''
      : `${figures.accepted} accepted, ${figures.answered} answered, ${figures.lost} lost, recovered in ${figures.recoverySeconds.toFixed(1)} s`;
  console.log(`${violations.length === 0 ? 'ok ' : 'RED'} ${name} (${seconds.toFixed(1)} s): ${told}`);
  for (const { kind, detail } of violations) console.log(`      ${kind}: ${detail}`);
}

function sayControl({ name, scenario, sound, harmed, holds }: Verdict): void {
  const word = ({ violations }: Result): string => (violations.length === 0 ? 'green' : 'red');
  console.log(
    `${holds ? 'ok ' : 'BAD'} ${name} in ${scenario}: without the defect ${word(sound)}, with it ${word(harmed)}`,
  );
  for (const { kind, detail } of sound.violations) console.log(`      without: ${kind}: ${detail}`);
  for (const { kind, detail } of harmed.violations) console.log(`      with: ${kind}: ${detail}`);
}

function wholeNumber(option: string, text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1)
    throw new RangeError(`--${option} is a whole number from 1 on`);
  return number;
}

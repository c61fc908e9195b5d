import { writeFileSync } from 'node:fs';
import type { Deployment } from './deployment.ts';

/** A fault of a mix, with its outcome. */
export interface MixStep {
  readonly fault: string;
  /** Time from its beginning until its repair. */
  readonly seconds: number;
  /** `recovered in 1.2 s`, `not waited for`, or an error message. */
  readonly outcome: string;
  /** Requests accepted so far. */
  readonly accepted: number;
}

const mostWarnings = 4;

/** Writes, after each step, how requests were answered during it and which warnings the processes logged. */
export function createMixCourse(deployment: Deployment, file: string): (step: MixStep) => void {
  const rows = [
    ['at (s)', 'fault', 'took (s)', 'outcome', 'accepted', 'handled (service/transport)', 'warnings'],
    ['---', '---', '---', '---', '---', '---', '---'],
  ];
  const begun = performance.now();
  let loggedUntil = begun;
  return ({ fault, seconds, outcome, accepted }) => {
    const since = loggedUntil;
    // No line is read between this time and `log`, because nothing is awaited.
    loggedUntil = performance.now();
    const calls = new Map<string, number>();
    const warnings = new Map<string, number>();
    for (const { name, line } of deployment.log(since)) {
      if (line.msg === 'call') count(calls, `${name}/${line.transport}`);
      if (line.level === 'warn' || line.level === 'error') count(warnings, `${name}: ${line.msg}`);
    }
    rows.push([
      ((since - begun) / 1000).toFixed(1),
      fault,
      seconds.toFixed(1),
      outcome,
      String(accepted),
      most(calls, calls.size),
      most(warnings, mostWarnings),
    ]);
    writeFileSync(file, `${rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}\n`);
  };
}

function count(counts: Map<string, number>, what: string): void {
  counts.set(what, (counts.get(what) ?? 0) + 1);
}

/** Formats the most frequent counts: `mserv1/grpc 12, mserv2/grpc 3`. */
function most(counts: ReadonlyMap<string, number>, limit: number): string {
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .slice(0, limit)
    .map(([what, times]) => `${what} ${times}`)
    .join(', ');
}

import { writeFileSync } from 'node:fs';
import type { World } from './world.ts';

/** A fault of a mix, and what came of it. */
export interface Step {
  readonly fault: string;
  /** From its beginning until it was repaired, seconds. */
  readonly seconds: number;
  /** `recovered in 1.2 s`, `not waited for`, or what went wrong. */
  readonly outcome: string;
  /** Requests that were accepted so far. */
  readonly accepted: number;
}

const mostWarnings = 4;

/** Writes down, after each step, how requests were answered meanwhile and what the processes complained of. */
export function createMixCourse(world: World, file: string): (step: Step) => void {
  const rows = [
    ['at (s)', 'fault', 'took (s)', 'outcome', 'accepted', 'worked on (service/door)', 'complaints'],
    ['---', '---', '---', '---', '---', '---', '---'],
  ];
  const begun = performance.now();
  let heardUntil = begun;
  return ({ fault, seconds, outcome, accepted }) => {
    const since = heardUntil;
    // No line is heard between this and the reading of the log.
    heardUntil = performance.now();
    const calls = new Map<string, number>();
    const complaints = new Map<string, number>();
    for (const { name, line } of world.log(since)) {
      if (line.msg === 'call') count(calls, `${name}/${line.door}`);
      if (line.level === 'warn' || line.level === 'error') count(complaints, `${name}: ${line.msg}`);
    }
    rows.push([
      ((since - begun) / 1000).toFixed(1),
      fault,
      seconds.toFixed(1),
      outcome,
      String(accepted),
      most(calls, calls.size),
      most(complaints, mostWarnings),
    ]);
    writeFileSync(file, `${rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}\n`);
  };
}

function count(counts: Map<string, number>, what: string): void {
  counts.set(what, (counts.get(what) ?? 0) + 1);
}

/** `mserv1/grpc 12, mserv2/grpc 3`, the most frequent first. */
function most(counts: ReadonlyMap<string, number>, limit: number): string {
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .slice(0, limit)
    .map(([what, times]) => `${what} ${times}`)
    .join(', ');
}

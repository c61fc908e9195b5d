import { closeSync, openSync, writeSync } from 'node:fs';
import type { Said } from './world.ts';

/** Of a long log both ends are kept: how it began, and more of how it ended, where what was red mostly is. */
const headChars = 4 * 2 ** 20;
const tailChars = 28 * 2 ** 20;

/** Writes what was said, a line each: seconds since the first, who, and the line of its log. */
export function writeLog(file: string, said: readonly Said[]): void {
  const begun = said[0]?.at ?? 0;
  const lines = said.map(
    ({ name, pid, line, at }) =>
      `${((at - begun) / 1000).toFixed(3)} ${name} ${pid} ${JSON.stringify(line)}\n`,
  );
  const head = fitting(lines, headChars);
  const tail = fitting(lines.slice(head).reverse(), tailChars);
  const leftOut = lines.length - head - tail;
  const fd = openSync(file, 'w');
  try {
    for (const line of lines.slice(0, head)) writeSync(fd, line);
    if (leftOut > 0) writeSync(fd, `… ${leftOut} lines are left out …\n`);
    for (const line of lines.slice(head + leftOut)) writeSync(fd, line);
  } finally {
    closeSync(fd);
  }
}

/** How many lines, from the first on, have room in so many characters. */
function fitting(lines: readonly string[], chars: number): number {
  let used = 0;
  const end = lines.findIndex((line) => {
    used += line.length;
    return used > chars;
  });
  return end === -1 ? lines.length : end;
}

import { closeSync, openSync, writeSync } from 'node:fs';
import type { LoggedLine } from './deployment.ts';

/** Both ends of a long log are kept, more of its end, because failures are mostly there. */
const headChars = 4 * 2 ** 20;
const tailChars = 28 * 2 ** 20;

/** Writes log lines, each after its time in seconds since the first line, its process and its pid. */
export function writeLog(file: string, logged: readonly LoggedLine[]): void {
  const begun = logged[0]?.at ?? 0;
  const lines = logged.map(
    ({ name, pid, line, at }) =>
      `${((at - begun) / 1000).toFixed(3)} ${name} ${pid} ${JSON.stringify(line)}\n`,
  );
  const head = fitting(lines, headChars);
  const tail = fitting(lines.slice(head).reverse(), tailChars);
  const leftOut = lines.length - head - tail;
  const fd = openSync(file, 'w');
  try {
    for (const line of lines.slice(0, head)) writeSync(fd, line);
    if (leftOut > 0) writeSync(fd, `… ${leftOut} lines left out …\n`);
    for (const line of lines.slice(head + leftOut)) writeSync(fd, line);
  } finally {
    closeSync(fd);
  }
}

/** Returns how many lines, from the first on, fit into a number of characters. */
function fitting(lines: readonly string[], chars: number): number {
  let used = 0;
  const end = lines.findIndex((line) => {
    used += line.length;
    return used > chars;
  });
  return end === -1 ? lines.length : end;
}

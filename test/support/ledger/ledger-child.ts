/**
 * Fills a ledger in a process that tests kill, trace and starve. Arguments: the file, a prefix of the ids, the number of
 * concurrent requests, the number of all requests. Prints `open`, then each result of the ledger at once: `accepted ID`,
 * `closed ID` or `refused ID ERROR`; finally `stopped`, or `ERROR TEXT`.
 */
import { writeSync } from 'node:fs';
import { openSqliteLedger } from '../../../gateway/solicitudes/sqlite/sqlite-ledger.ts';
import { acceptance, answerOf } from './ledger-calls.ts';

const [path = '', prefix = '', atOnce = '1', count = '1'] = process.argv.slice(2);

/** Prints a line synchronously, so that it is out before the next step. Waits while the pipe is full. */
function say(line: string): void {
  let rest = Buffer.from(`${line}\n`);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(1, rest));
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

let next = 0;
try {
  const ledger = await openSqliteLedger({ path, maxRows: 1_000_000, maxBytes: 1_000_000_000 });
  say('open');

  const acceptOneByOne = async () => {
    while (next < Number(count)) {
      const id = `${prefix}${next++}`;
      try {
        await ledger.accept(acceptance({ id, request: JSON.stringify({ ruta: id.repeat(20) }) }));
        say(`accepted ${id}`);
        if (next % 3 !== 0) continue;
        await ledger.close(id, { state: 'completada', answer: answerOf(`answer of ${id}`), at: 2000 });
        say(`closed ${id}`);
      } catch (error) {
        say(`refused ${id} ${error instanceof Error ? error.name : String(error)}`);
      }
    }
  };
  await Promise.all(Array.from({ length: Number(atOnce) }, acceptOneByOne));
  await ledger.stop();
  say('stopped');
} catch (error) {
  say(error instanceof Error ? `${error.name} ${error.message}` : String(error));
}

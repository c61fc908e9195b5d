import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { Ledger } from '../../../gateway/solicitudes/ledger.ts';
import { registerStarted } from '../runner/leftovers.ts';

const child = fileURLToPath(new URL('ledger-child.ts', import.meta.url));

export interface FillOptions {
  readonly path: string;
  readonly prefix?: string;
  readonly atOnce?: number;
  readonly count: number;
  /** Command to run the child under: `['strace', '-f', …]` */
  readonly under?: readonly string[];
}

/** Starts ledger-child.ts. `lines` yields its complete output lines until it ends. */
export function fillLedger({ path, prefix = 'id-', atOnce = 1, count, under = [] }: FillOptions): {
  readonly process: ChildProcess;
  readonly lines: AsyncIterable<string>;
  readonly exited: Promise<unknown>;
} {
  const command = [...under, process.execPath, child, path, prefix, String(atOnce), String(count)];
  const started = spawn(command[0] ?? '', command.slice(1), { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(started, 'exit').finally(
    registerStarted('a ledger', async () => started.kill('SIGKILL')),
  );
  return { process: started, lines: createInterface({ input: started.stdout }), exited };
}

export async function readLines(lines: AsyncIterable<string>): Promise<string[]> {
  const seen: string[] = [];
  for await (const line of lines) seen.push(line);
  return seen;
}

/** Returns the ids in the lines of one kind. */
export function idsOf(lines: readonly string[], what: 'accepted' | 'closed' | 'refused'): string[] {
  return lines.filter((line) => line.startsWith(`${what} `)).map((line) => line.split(' ')[1] ?? '');
}

/** Fails unless the ledger holds, unchanged, every row and answer that the child reported as committed. */
export async function expectCommitted(ledger: Ledger, lines: readonly string[]): Promise<void> {
  await Promise.all(
    idsOf(lines, 'accepted').map(async (id) => {
      const row = await ledger.get(id);
      expect(row, `${id} was reported as accepted`).to.include({ id, caller: 'anonimo' });
      expect(JSON.parse(row?.request ?? '')).to.deep.equal({ ruta: id.repeat(20) });
    }),
  );
  await Promise.all(
    idsOf(lines, 'closed').map(async (id) => {
      expect((await ledger.get(id))?.state, `${id} was reported as closed`).to.equal('completada');
      expect((await ledger.answer(id))?.body.toString()).to.equal(`answer of ${id}`);
    }),
  );
}

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';

/** What another program printed, and how long it took from its start to its end. */
export interface PeerRun {
  readonly ms: number;
  readonly output: string;
}

/** Runs a program of Debian's. Its output is read, as its user would. */
export async function runPeer(command: string, args: readonly string[]): Promise<PeerRun> {
  const began = performance.now();
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const pieces: Buffer[] = [];
  child.stdout.on('data', (piece: Buffer) => pieces.push(piece));
  const [code] = await once(child, 'close');
  const ms = performance.now() - began;
  // Some end with 1 when they find nothing.
  if (code !== 0 && code !== 1) throw new Error(`${command} ended with ${code}`);
  return { ms, output: Buffer.concat(pieces).toString('latin1') };
}

/** The same with its output sent to nowhere: nobody's reading is measured. */
export async function timePeer(command: string, args: readonly string[]): Promise<number> {
  const began = performance.now();
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  await once(child, 'close');
  return performance.now() - began;
}

/** Debian's packages of all peers. */
const packages = { fdfind: 'fd-find', plocate: 'plocate', updatedb: 'plocate', nginx: 'nginx', wrk: 'wrk' };

/** @throws an Error that says what to install */
export function requirePeers(): void {
  const missing = Object.entries(packages).filter(([name]) => spawnSync('which', [name]).status !== 0);
  if (missing.length === 0) return;
  const wanted = [...new Set(missing.map(([, name]) => name))].join(' ');
  throw new Error(`The peers are missing: apt-get install ${wanted}`);
}

/** A database of plocate's own over a tree. */
export async function updateDb(tree: string, database: string): Promise<void> {
  const nothing = ['--prunepaths', '', '--prunefs', '', '--prunenames', '', '--prune-bind-mounts', 'no'];
  await timePeer('updatedb', ['-l', '0', '-U', tree, '-o', database, ...nothing]);
}

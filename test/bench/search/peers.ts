import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';

/** A program's output, and its time from start to end. */
export interface PeerRun {
  readonly ms: number;
  readonly output: string;
}

/** Runs a program and reads its output, as a user would. */
export async function runPeer(command: string, args: readonly string[]): Promise<PeerRun> {
  const began = performance.now();
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const pieces: Buffer[] = [];
  child.stdout.on('data', (piece: Buffer) => pieces.push(piece));
  const [code] = await once(child, 'close');
  const ms = performance.now() - began;
  // Some peers end with 1 when nothing matches.
  if (code !== 0 && code !== 1) throw new Error(`${command} ended with ${code}`);
  return { ms, output: Buffer.concat(pieces).toString('latin1') };
}

/** Runs a program with its output discarded; returns its time, without the cost of reading the output. */
export async function timePeer(command: string, args: readonly string[]): Promise<number> {
  const began = performance.now();
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  await once(child, 'close');
  return performance.now() - began;
}

/** Debian packages of the peers. */
const packages = { fdfind: 'fd-find', plocate: 'plocate', updatedb: 'plocate', nginx: 'nginx', wrk: 'wrk' };

/** @throws an Error that lists the packages to install */
export function requirePeers(): void {
  const missing = Object.entries(packages).filter(([name]) => spawnSync('which', [name]).status !== 0);
  if (missing.length === 0) return;
  const wanted = [...new Set(missing.map(([, name]) => name))].join(' ');
  throw new Error(`The peers are missing: apt-get install ${wanted}`);
}

/** Creates a plocate database of a tree. */
export async function updateDb(tree: string, database: string): Promise<void> {
  const nothing = ['--prunepaths', '', '--prunefs', '', '--prunenames', '', '--prune-bind-mounts', 'no'];
  await timePeer('updatedb', ['-l', '0', '-U', tree, '-o', database, ...nothing]);
}

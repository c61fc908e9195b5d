import { spawnSync } from 'node:child_process';
import { eventually } from '../processes/eventually.ts';
import { TemporaryFolder } from './temporary-folder.ts';

/** Mounts file systems, and unmounts what is left at the end of its `using` block. */
export class Mounts implements Disposable {
  readonly #points: string[] = [];

  tmpfs(point: string): void {
    this.#mount(point, '-t', 'tmpfs', 'tmpfs');
  }

  /** Mounts a folder or a file at a second place. */
  bind(from: string, point: string): void {
    this.#mount(point, '--bind', from);
  }

  overlay(point: string, { lower, upper, work }: Readonly<Record<'lower' | 'upper' | 'work', string>>): void {
    const options = `lowerdir=${lower},upperdir=${upper},workdir=${work}`;
    this.#mount(point, '-t', 'overlay', '-o', options, 'overlay');
  }

  /** Unmounts the last mount at that point, once no process has it open; with `lazy` at once. */
  async unmount(point: string, lazy = false): Promise<void> {
    // A scanner holds folders open for a moment after it has read them.
    await eventually(() => spawnSync('umount', [...(lazy ? ['-l'] : []), point]).status === 0);
    this.#points.splice(this.#points.lastIndexOf(point), 1);
  }

  [Symbol.dispose](): void {
    for (const point of this.#points.toReversed()) spawnSync('umount', ['-l', point]);
  }

  #mount(point: string, ...options: string[]): void {
    const { status, stderr } = spawnSync('mount', [...options, point], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`mount ${options.join(' ')} ${point}: ${stderr}`);
    this.#points.push(point);
  }
}

/** Returns why nothing can be mounted here; undefined when it can. */
export function mountMissing(): string | undefined {
  using folder = new TemporaryFolder();
  try {
    using mounts = new Mounts();
    mounts.tmpfs(folder.path);
    return undefined;
  } catch {
    return 'mounting takes root and the capability SYS_ADMIN';
  }
}

import { readFileSync } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fromText } from '../../filesystem/byte-string.ts';
import { errnoOf } from '../../filesystem/file-error.ts';
import { realPath } from '../../filesystem/jail.ts';
import { SnapshotError } from '../index/api.ts';
import { MemoryIndex } from '../index/memory-index.ts';
import { readSnapshot } from '../index/snapshot-reader.ts';
import { writeSnapshot } from '../index/snapshot-writer.ts';

export interface SnapshotFileOptions {
  /** Undefined for none. */
  readonly file: string | undefined;
  /** The folder that it is about. */
  readonly root: string;
  readonly log: (level: 'info' | 'warn', fields: Readonly<Record<string, unknown>>, text: string) => void;
  /** Between two of them, at least. Default 5 minutes. */
  readonly everyMs?: number;
}

/** Where an index is kept between two runs: a file that is there as a whole or not at all. */
export class SnapshotFile {
  readonly #options: SnapshotFileOptions;
  readonly #everyMs: number;
  #saving: Promise<void> = Promise.resolve();
  #savedAt = Number.NEGATIVE_INFINITY;
  /** `changes` of the index that was saved or loaded. */
  #saved: number | undefined;

  constructor(options: SnapshotFileOptions) {
    this.#options = options;
    this.#everyMs = options.everyMs ?? 5 * 60_000;
  }

  /** What was saved, or an empty index: when there is none, when it is of another folder, or damaged. */
  load(): { readonly index: MemoryIndex; readonly restored: boolean } {
    const { file, log } = this.#options;
    try {
      const identity = this.#identity();
      if (file === undefined || identity === undefined) return { index: new MemoryIndex(), restored: false };
      // In one piece, which the system gets back as a whole; smaller ones would stay in the allocator's hands.
      const index = readSnapshot([readFileSync(file)], identity);
      this.#saved = index.changes;
      return { index, restored: true };
    } catch (error) {
      if (error instanceof SnapshotError) {
        log('warn', { file, fault: error.fault }, 'the snapshot is of no use: the index is built anew');
      } else if (errnoOf(error) !== 'ENOENT') {
        if (errnoOf(error) === undefined) throw error;
        log('warn', { file, errno: errnoOf(error) }, 'the snapshot cannot be read: the index is built anew');
      }
      return { index: new MemoryIndex(), restored: false };
    }
  }

  /** Saves an index that is known to be right, unless that was done a short while ago, or nothing has changed since. */
  async saveNowAndThen(index: MemoryIndex): Promise<void> {
    if (performance.now() - this.#savedAt >= this.#everyMs) await this.save(index);
  }

  /** Saves an index that has changed. It may go on changing meanwhile. Never rejects: a run without a snapshot is slower. */
  save(index: MemoryIndex): Promise<void> {
    this.#saving = this.#saving.then(() => this.#save(index));
    return this.#saving;
  }

  async #save(index: MemoryIndex): Promise<void> {
    const { file, log } = this.#options;
    if (file === undefined || index.changes === this.#saved) return;
    const began = performance.now();
    const { changes } = index;
    this.#savedAt = began;
    try {
      const identity = this.#identity();
      if (identity === undefined) return;
      await writeWhole(file, writeSnapshot(index, identity));
      this.#saved = changes;
      log('info', { file, ms: Math.round(performance.now() - began) }, 'the index was saved');
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
      log('warn', { file, errno: errnoOf(error) }, 'the index could not be saved');
    }
  }

  /** The real path: that the tree has changed since does no harm, but another one has other names. Undefined when it is not there. */
  #identity(): string | undefined {
    try {
      return realPath(fromText(this.#options.root));
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
      return undefined;
    }
  }
}

/** Names of files are nobody else's business. */
async function writeWhole(file: string, pieces: Iterable<Buffer>): Promise<void> {
  const half = `${file}.${process.pid}`;
  await mkdir(dirname(file), { recursive: true });
  try {
    await using handle = await open(half, 'w', 0o600);
    for (const piece of pieces) await handle.writeFile(piece);
    await handle.sync();
    await handle.close();
    await rename(half, file);
  } catch (error) {
    await rm(half, { force: true });
    throw error;
  }
}

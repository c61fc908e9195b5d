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
  /** Path of the snapshot; undefined for none. */
  readonly file: string | undefined;
  /** The indexed folder. */
  readonly root: string;
  readonly log: (level: 'info' | 'warn', fields: Readonly<Record<string, unknown>>, text: string) => void;
  /** Minimum time between two snapshots. Default 5 minutes. */
  readonly everyMs?: number;
}

/** The file that keeps an index between two runs; it is written whole or not at all. */
export class SnapshotFile {
  readonly #options: SnapshotFileOptions;
  readonly #everyMs: number;
  #saving: Promise<void> = Promise.resolve();
  #savedAt = Number.NEGATIVE_INFINITY;
  /** `changes` of the index when it was saved or loaded. */
  #saved: number | undefined;

  constructor(options: SnapshotFileOptions) {
    this.#options = options;
    this.#everyMs = options.everyMs ?? 5 * 60_000;
  }

  /** Loads the index; an empty one when the snapshot is missing, of another folder, or damaged. */
  load(): { readonly index: MemoryIndex; readonly restored: boolean } {
    const { file, log } = this.#options;
    try {
      const identity = this.#identity();
      if (file === undefined || identity === undefined) return { index: new MemoryIndex(), restored: false };
      // Read in one piece, which is returned to the system as a whole; smaller ones would stay with the allocator.
      const index = readSnapshot([readFileSync(file)], identity);
      this.#saved = index.changes;
      return { index, restored: true };
    } catch (error) {
      if (error instanceof SnapshotError) {
        log('warn', { file, fault: error.fault }, 'the snapshot is not usable; building the index anew');
      } else if (errnoOf(error) !== 'ENOENT') {
        if (errnoOf(error) === undefined) throw error;
        log('warn', { file, errno: errnoOf(error) }, 'the snapshot cannot be read; building the index anew');
      }
      return { index: new MemoryIndex(), restored: false };
    }
  }

  /** Saves a complete index, unless it has not changed or was saved a short while ago. */
  async saveNowAndThen(index: MemoryIndex): Promise<void> {
    if (performance.now() - this.#savedAt >= this.#everyMs) await this.save(index);
  }

  /**
   * Saves an index that has changed. It may change meanwhile. Never rejects: a run without a snapshot is only slower.
   */
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

  /**
   * Returns the root's real path, which identifies the tree; undefined when it is missing. Changes in the tree do no
   * harm, other names would.
   */
  #identity(): string | undefined {
    try {
      return realPath(fromText(this.#options.root));
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
      return undefined;
    }
  }
}

/** Writes a file that only its owner may read, because file names are private. */
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

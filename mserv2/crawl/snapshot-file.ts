import { MemoryIndex } from '../index/memory-index.ts';

export interface SnapshotFileOptions {
  /** Undefined for none. */
  readonly file: string | undefined;
  /** The folder that it is about. */
  readonly root: string;
  readonly log: (level: 'info' | 'warn', fields: Readonly<Record<string, unknown>>, text: string) => void;
}

export class SnapshotFile {
  constructor(_options: SnapshotFileOptions) {}
  load(): { index: MemoryIndex; restored: boolean } {
    return { index: new MemoryIndex(), restored: false };
  }
  keep(_index: MemoryIndex): void {}
  save(_index: MemoryIndex): void {}
}

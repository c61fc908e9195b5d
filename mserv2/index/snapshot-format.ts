import { crc32 } from 'node:zlib';
import { SnapshotError } from './api.ts';

/*
 * A snapshot: 12 bytes that identify it, then frames: the root's identity, the folders' stamps, the segments, the end.
 * A frame has 12 bytes before its content: its kind, its length, and a CRC-32 of its content seeded with the kind. All
 * numbers are in the machine's byte order, which the first bytes show: a snapshot is for the machine that wrote it.
 */

export const frameKind = { identity: 1, folders: 2, segment: 3, end: 4 } as const;

/** Counts up when the format changes, or the folding of names, which are stored folded. */
const version = 3;
const headLength = 12;
/** Limit of a frame. Names are a segment's largest part: at most 32,768 names of 765 bytes. */
const maxFrame = 64 << 20;

/** The first bytes of a snapshot. */
export function beginning(): Buffer {
  const bytes = Buffer.from('Archivero\0\0\0');
  bytes[9] = new Uint8Array(Uint16Array.of(1).buffer)[0] ?? 0;
  bytes[10] = version;
  return bytes;
}

export function frame(kind: number, content: Buffer): Buffer {
  const head = Uint32Array.of(kind, content.length, crc32(content, kind));
  return Buffer.concat([bytesOf(head), content]);
}

export function bytesOf(column: ArrayBufferView): Buffer {
  return Buffer.from(column.buffer, column.byteOffset, column.byteLength);
}

export function corrupt(message: string): SnapshotError {
  return new SnapshotError('corrupt', `The snapshot is damaged: ${message}`);
}

/** Splits a snapshot into frames; it comes in pieces of any size. */
export class FrameReader {
  readonly #chunks: Iterator<Uint8Array>;
  #bytes: Buffer = Buffer.alloc(0);

  constructor(chunks: Iterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.iterator]();
  }

  /** Reads the first bytes. @throws SnapshotError when they are not a snapshot's */
  readBeginning(): void {
    if (this.#take(headLength)?.equals(beginning()) !== true) {
      throw new SnapshotError('version', 'The snapshot is of another kind or version');
    }
  }

  /**
   * Reads a frame of one of these kinds. @throws SnapshotError when it is cut, altered, or of another kind
   */
  read(...kinds: readonly number[]): { readonly kind: number; readonly content: Buffer } {
    const head = this.#take(headLength);
    if (head === undefined) throw corrupt('it is cut');
    const [kind = 0, length = 0, checksum = 0] = new Uint32Array(Uint8Array.from(head).buffer);
    if (!kinds.includes(kind) || length > maxFrame) throw corrupt('a frame is of a wrong kind or length');
    const content = this.#take(length);
    if (content === undefined) throw corrupt('it is cut');
    if (crc32(content, kind) !== checksum) throw corrupt('a checksum is wrong');
    return { kind, content };
  }

  /** Checks that this is the end. @throws SnapshotError when there is more */
  readEnd(): void {
    if (this.#take(1) !== undefined) throw corrupt('it is too long');
  }

  #take(length: number): Buffer | undefined {
    const pieces = [this.#bytes];
    let have = this.#bytes.length;
    while (have < length) {
      const { value, done } = this.#chunks.next();
      if (done) return undefined;
      pieces.push(Buffer.from(value.buffer, value.byteOffset, value.byteLength));
      have += value.byteLength;
    }
    const bytes = pieces.length === 1 ? this.#bytes : Buffer.concat(pieces, have);
    this.#bytes = bytes.subarray(length);
    return bytes.subarray(0, length);
  }
}

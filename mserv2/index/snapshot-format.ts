import { crc32 } from 'node:zlib';
import { SnapshotError } from './api.ts';

/*
 * A snapshot: 12 bytes that say what it is, then frames: the root's identity, the folders' stamps, the segments, the end.
 * A frame has 12 bytes before its content: its kind, its length, and a CRC-32 of its content that begins with the kind. All
 * numbers are in the machine's own byte order, which the beginning tells: it is for the machine that wrote it.
 */

export const frameKind = { identity: 1, folders: 2, segment: 3, end: 4 } as const;

const version = 2;
const headLength = 12;
/** A segment's largest part are its names: of 32,768 names with 765 bytes, the most there can be. */
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

/** Takes a snapshot apart that comes in pieces of any size. */
export class FrameReader {
  readonly #chunks: Iterator<Uint8Array>;
  #bytes: Buffer = Buffer.alloc(0);

  constructor(chunks: Iterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.iterator]();
  }

  /** @throws SnapshotError when the beginning is not ours */
  readBeginning(): void {
    if (this.#take(headLength)?.equals(beginning()) !== true) {
      throw new SnapshotError('version', 'The snapshot is of another kind or version');
    }
  }

  /** @throws SnapshotError when a frame is cut, altered, or of another kind than those */
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

  /** @throws SnapshotError when there is anything more */
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

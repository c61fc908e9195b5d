import { fromBytes, toText } from '../../filesystem/byte-string.ts';
import { type Folding, foldText } from '../../filesystem/folding.ts';
import { type FolderNumber, rootFolder } from './api.ts';
import { LatinFolder } from './latin.ts';
import type { ReadView } from './read-view.ts';
import type { Field } from './search-api.ts';
import { capitals, maxNameBytes, type Segment } from './segment.ts';

/** Folding makes at most three bytes of two. */
const scratch = Buffer.alloc(2 * maxNameBytes);

/**
 * The folded UTF-8 text of an entry's name or path, built piece by piece. It lies in `bytes` from `start` to before
 * `end`; the name begins at `nameStart`. Copies are avoided where possible, because a query does this for every
 * candidate.
 */
export class ComparedText {
  bytes: Buffer = scratch;
  start = 0;
  nameStart = 0;
  end = 0;
  /** The folder whose path is in `bytes`; -1 for none. */
  folder: FolderNumber = -1;
  readonly #view: ReadView;
  readonly #folding: Folding;
  readonly #latin: LatinFolder;
  readonly #coarse: boolean;
  readonly #withPath: boolean;
  #path: Buffer = scratch;
  #pathEnd = 0;

  constructor(view: ReadView, field: Field, folding: Folding) {
    this.#view = view;
    this.#folding = folding;
    this.#latin = LatinFolder.for(folding);
    this.#coarse = folding.case && folding.accents;
    this.#withPath = field === 'ruta';
  }

  load(segment: Segment, slot: number): void {
    const spelling = this.#coarse ? 0 : (segment.spellings[slot] ?? 0);
    if (spelling === 0 || (spelling >= capitals && this.#folding.case)) {
      this.bytes = segment.names;
      this.start = segment.starts[slot] ?? 0;
      this.end = (segment.starts[slot + 1] ?? 0) - 1;
    } else if (spelling >= capitals) {
      this.bytes = scratch;
      this.start = 0;
      this.end = segment.copyName(slot, scratch);
    } else {
      this.#loadWrittenOut(segment, spelling);
    }
    this.nameStart = this.start;
    if (this.#withPath) this.#prependPath(segment.parents[slot] ?? rootFolder);
  }

  text(): string {
    return this.bytes.toString('utf8', this.start, this.end);
  }

  #loadWrittenOut({ originals }: Segment, spelling: number): void {
    const start = spelling + 1;
    const end = start + originals.readUInt16LE(spelling - 1);
    if (!this.#folding.case && !this.#folding.accents && LatinFolder.covers(originals, start, end)) {
      this.bytes = originals;
      this.start = start;
      this.end = end;
      return;
    }
    this.bytes = scratch;
    this.start = 0;
    this.end = this.#latin.fold(originals, start, end, scratch);
    if (this.end >= 0) return;
    const { text } = toText(fromBytes(originals.subarray(start, end)));
    this.bytes = Buffer.from(foldText(text, this.#folding));
    this.end = this.bytes.length;
  }

  #prependPath(folder: FolderNumber): void {
    if (folder !== this.folder) this.#loadPath(folder);
    const { bytes, start } = this;
    const length = this.end - start;
    if (this.#pathEnd + length > this.#path.length) {
      this.#path = Buffer.concat([this.#path], this.#pathEnd + 2 * length);
    }
    const path = this.#path;
    for (let i = 0; i < length; i++) path[this.#pathEnd + i] = bytes[start + i] ?? 0;
    this.bytes = path;
    this.start = 0;
    this.nameStart = this.#pathEnd;
    this.end = this.#pathEnd + length;
  }

  /** Entries mostly come folder by folder, so this runs once for many of them. */
  #loadPath(folder: FolderNumber): void {
    const { text } = toText(this.#view.index.folderPath(folder));
    const folded = text.split('/').map((name) => foldText(name, this.#folding));
    const path = Buffer.from(folder === rootFolder ? '' : `${folded.join('/')}/`);
    this.#path = Buffer.concat([path], path.length + maxNameBytes);
    this.#pathEnd = path.length;
    this.folder = folder;
  }
}

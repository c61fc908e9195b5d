import { type ByteString, fromText } from '../../filesystem/byte-string.ts';
import { Kind } from '../../filesystem/kind.ts';
import { type FolderNumber, rootFolder } from '../../mserv2/index/api.ts';
import type { MemoryIndex } from '../../mserv2/index/memory-index.ts';

const words =
  'factura resumen contrato cliente proyecto presupuesto acta memoria plano catálogo nómina pedido albarán guía foto vídeo canción diseño informe'.split(
    ' ',
  );
const extensions = 'pdf txt jpg docx xlsx md csv png'.split(' ');

/** Returns a repeatable generator of integers from 0 to below `below`. */
function numbers(start: number): (below: number) => number {
  let state = start;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function capitalized(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

/** A folder of the synthetic tree; its number is the count of folders before it. */
export interface SyntheticFolder {
  readonly subfolders: readonly { readonly number: number; readonly name: ByteString }[];
  readonly files: readonly {
    readonly name: ByteString;
    readonly size: number;
    readonly mtimeNs: bigint;
  }[];
}

/**
 * Yields the folders of a synthetic tree, always the same, in breadth-first order from the root. Each has 50 files and up to
 * ten folders. Names have about 20 bytes; one in four has capitals, one in seven accents, one in eight contains `informe`,
 * four in five an `a`.
 */
export function* syntheticTree(files: number): Generator<SyntheticFolder, void> {
  const pick = numbers(1);
  const wanted = Math.ceil(files / 50);
  let folders = 1;
  let made = 0;
  for (let at = 0; at < wanted; at++) {
    const folder = {
      subfolders: [] as { number: number; name: ByteString }[],
      files: [] as { name: ByteString; size: number; mtimeNs: bigint }[],
    };
    for (let i = 0; i < 10 && folders < wanted; i++, folders++) {
      const name = fromText(`${words[pick(words.length)]} ${folders}`);
      folder.subfolders.push({ number: folders, name });
    }
    for (let i = 0; i < 50 && made < files; i++, made++) {
      const name = fileName(pick, made);
      const size = pick(1e7);
      const mtimeNs = 1_600_000_000_000_000_000n + BigInt(pick(1e9)) * 97_000_003n;
      folder.files.push({ name, size, mtimeNs });
    }
    yield folder;
  }
}

/** Fills an index with the synthetic tree. */
export function plantSyntheticTree(index: MemoryIndex, files: number): void {
  const folders: FolderNumber[] = [rootFolder];
  let at = 0;
  for (const folder of syntheticTree(files)) {
    const parent = folders[at++] ?? rootFolder;
    for (const { name, number } of folder.subfolders) {
      const entry = index.put(parent, name, Kind.FOLDER);
      index.setStats(entry, 0, BigInt(number) * 1_000_000_007n);
      folders.push(index.folderOf(entry));
    }
    for (const { name, size, mtimeNs } of folder.files) {
      index.setStats(index.put(parent, name, Kind.FILE), size, mtimeNs);
    }
  }
}

function fileName(pick: (below: number) => number, number: number): ByteString {
  const word = pick(8) === 0 ? 'informe' : (words[pick(words.length - 1)] ?? '');
  const first = pick(4) === 0 ? capitalized(word) : word;
  const second = pick(3) === 0 ? `-${words[pick(words.length - 1)]}` : '';
  return fromText(`${first}${second}_${number.toString(36)}.${extensions[pick(extensions.length)]}`);
}

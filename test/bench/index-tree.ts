import { type ByteString, fromText } from '../../filesystem/byte-string.ts';
import { Kind } from '../../filesystem/kind.ts';
import { type FolderNumber, rootFolder } from '../../mserv2/index/api.ts';
import type { MemoryIndex } from '../../mserv2/index/memory-index.ts';

const words =
  'factura resumen contrato cliente proyecto presupuesto acta memoria plano catálogo nómina pedido albarán guía foto vídeo canción diseño informe'.split(
    ' ',
  );
const extensions = 'pdf txt jpg docx xlsx md csv png'.split(' ');

/** A repeatable source of numbers from 0 to below `below`. */
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

/**
 * Fills an index with a made-up tree: 50 files in each folder, folders ten to a folder, as a crawl by breadth would. Names
 * have 20 bytes or so; one in four has capitals, one in seven accents, one in eight has `informe` in it, four in five an `a`.
 */
export function plantSyntheticTree(index: MemoryIndex, files: number): void {
  const pick = numbers(1);
  const folders: FolderNumber[] = [rootFolder];
  const wanted = Math.ceil(files / 50);
  let made = 0;
  for (let at = 0; at < wanted; at++) {
    const folder = folders[at] ?? rootFolder;
    for (let i = 0; i < 10 && folders.length < wanted; i++) {
      const entry = index.put(
        folder,
        fromText(`${words[pick(words.length)]} ${folders.length}`),
        Kind.FOLDER,
      );
      index.setStats(entry, 0, BigInt(folders.length) * 1_000_000_007n);
      folders.push(index.folderOf(entry));
    }
    for (let i = 0; i < 50 && made < files; i++, made++) {
      const entry = index.put(folder, fileName(pick, made), Kind.FILE);
      index.setStats(entry, pick(1e7), 1_600_000_000_000_000_000n + BigInt(pick(1e9)) * 97_000_003n);
    }
  }
}

function fileName(pick: (below: number) => number, number: number): ByteString {
  const word = pick(8) === 0 ? 'informe' : (words[pick(words.length - 1)] ?? '');
  const first = pick(4) === 0 ? capitalized(word) : word;
  const second = pick(3) === 0 ? `-${words[pick(words.length - 1)]}` : '';
  return fromText(`${first}${second}_${number.toString(36)}.${extensions[pick(extensions.length)]}`);
}

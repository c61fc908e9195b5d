import {
  closeSync,
  existsSync,
  ftruncateSync,
  futimesSync,
  mkdirSync,
  openSync,
  writeFileSync,
} from 'node:fs';
import { type ByteString, fromText, joinParts, toPath } from '../../../filesystem/byte-string.ts';
import { syntheticTree } from '../index-tree.ts';

/** Mark of a finished tree. It lies beside the tree, so that searches do not find it. */
const doneMark = (folder: string): string => `${folder}.done`;

/** Returns the number of entries of a tree: files, and folders without the root. */
export function entriesBelow(files: number): number {
  return files + Math.ceil(files / 50) - 1;
}

/** Creates the synthetic tree, unless it exists, as sparse files with sizes and dates. Takes a minute per million. */
export function makeTree(folder: string, files: number): void {
  if (existsSync(doneMark(folder))) return;
  mkdirSync(folder, { recursive: true });
  const paths: ByteString[] = [fromText(folder)];
  let at = 0;
  for (const { subfolders, files: contents } of syntheticTree(files)) {
    const here = paths[at++] as ByteString;
    for (const { name } of subfolders) {
      const path = joinParts(here, name);
      mkdirSync(toPath(path), { recursive: true });
      paths.push(path);
    }
    for (const { name, size, mtimeNs } of contents) {
      const file = openSync(toPath(joinParts(here, name)), 'w');
      ftruncateSync(file, size);
      const seconds = Number(mtimeNs) / 1e9;
      futimesSync(file, seconds, seconds);
      closeSync(file);
    }
  }
  writeFileSync(doneMark(folder), '');
}

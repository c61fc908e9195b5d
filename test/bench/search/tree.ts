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

/** Beside the tree, because in it it would be found. */
const doneMark = (folder: string): string => `${folder}.done`;

/** How many entries the tree has: files, and folders without the root. */
export function entriesBelow(files: number): number {
  return files + Math.ceil(files / 50) - 1;
}

/** Makes the made-up tree as real files (empty on the disk, but with sizes and dates), unless it is there. Takes a minute per million. */
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

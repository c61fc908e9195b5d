import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Numbers of entries of the listed folders. */
export const sizes = [20, 1_000, 10_000] as const;
export type Size = (typeof sizes)[number];

/** Number of folders of each size. */
export const foldersOf: Readonly<Record<Size, number>> = { 20: 200, 1000: 20, 10000: 4 };

/** Returns a folder's path below the root. */
export function folderPath(size: Size, number: number): string {
  return `${size}/${number}`;
}

/** Creates the folders, with files of 0 to 96 bytes and names of realistic length. */
export function makeFolders(root: string): void {
  for (const size of sizes) {
    for (let folder = 0; folder < foldersOf[size]; folder++) {
      const path = join(root, folderPath(size, folder));
      mkdirSync(path, { recursive: true });
      for (let file = 0; file < size; file++) {
        const name = `documento-${String(file).padStart(5, '0')}.txt`;
        writeFileSync(join(path, name), 'x'.repeat(file % 97));
      }
    }
  }
}

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** How many entries the folders have that are listed, and how many such folders there are. */
export const sizes = [20, 1_000, 10_000] as const;
export type Size = (typeof sizes)[number];

export const foldersOf: Readonly<Record<Size, number>> = { 20: 200, 1000: 20, 10000: 4 };

/** Below the root. */
export function folderPath(size: Size, number: number): string {
  return `${size}/${number}`;
}

/** Makes the folders: small files of all lengths, with names as people have them. */
export function plant(root: string): void {
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

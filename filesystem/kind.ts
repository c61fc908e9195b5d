import type { BigIntStats, Dirent } from 'node:fs';

/**
 * The type of an entry, with the numbers of `archivos.v1.Tipo`. Links are never followed, so a link is a type of its
 * own.
 */
export const Kind = { FILE: 1, FOLDER: 2, LINK: 3, OTHER: 4 } as const;
export type Kind = (typeof Kind)[keyof typeof Kind];

export function kindOf(type: Dirent | BigIntStats): Kind {
  if (type.isFile()) return Kind.FILE;
  if (type.isDirectory()) return Kind.FOLDER;
  if (type.isSymbolicLink()) return Kind.LINK;
  return Kind.OTHER;
}

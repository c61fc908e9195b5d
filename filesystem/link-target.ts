import { lstatSync, readlinkSync } from 'node:fs';
import { sep } from 'node:path';
import { type ByteString, splitParts, toPath } from './byte-string.ts';
import { errnoOf } from './file-error.ts';
import type { Folder } from './folder.ts';
import { isInside, realPath } from './jail.ts';

/**
 * Where a link points, as a path below the root, if it stays inside: both as it is written and as the system resolves
 * it, over any other links. Of a link whose target is missing, what exists of the way there must be inside.
 */
export function linkTarget(folder: Folder, name: ByteString): ByteString | undefined {
  try {
    const written = readlinkSync(toPath(folder.addressOf(name)), 'latin1') as ByteString;
    const root = realPath(folder.root);
    const parts = written.startsWith('/')
      ? (below(root, written) ?? below(folder.root, written))
      : resolve([...splitParts(folder.path)], written);
    if (parts === undefined) return undefined;
    const path = parts.join('/') as ByteString;
    return staysInside(root, folder.addressOf(name), path) ? path : undefined;
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}

/** Follows `written` from `base`, by its letters only. Undefined when it climbs over the top. */
function resolve(base: string[], written: string): string[] | undefined {
  for (const part of written.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') base.push(part);
    else if (base.pop() === undefined) return undefined;
  }
  return base;
}

/** An absolute target's parts below the root. */
function below(root: ByteString, written: ByteString): string[] | undefined {
  const rootParts = root.split(sep).filter((part) => part !== '');
  const parts: string[] = [];
  for (const part of written.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return rootParts.every((part, index) => part === parts[index]) ? parts.slice(rootParts.length) : undefined;
}

function staysInside(root: ByteString, link: ByteString, path: ByteString): boolean {
  const target = tryRealPath(link);
  if (target !== undefined) return isInside(root, target);
  const parts = splitParts(path);
  while (parts.length > 0) {
    const address = `${root}/${parts.join('/')}` as ByteString;
    const real = tryRealPath(address);
    if (real !== undefined) return isInside(root, real);
    // It exists and yet does not resolve: another link into nowhere, and nobody knows where that is.
    if (lstatSync(toPath(address), { throwIfNoEntry: false }) !== undefined) return false;
    parts.pop();
  }
  return true;
}

/** Undefined when it does not exist. */
function tryRealPath(path: ByteString): ByteString | undefined {
  try {
    return realPath(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

import { lstatSync, readlinkSync } from 'node:fs';
import { sep } from 'node:path';
import { type ByteString, splitParts, toPath } from './byte-string.ts';
import { errnoOf } from './file-error.ts';
import type { Folder } from './folder.ts';
import { isInside, realPath } from './jail.ts';

/**
 * Returns a link's target as a path relative to the root, if the target stays inside the root. Both the written
 * target and the path it resolves to through other links must be inside. If the target is missing, the existing part
 * of its path must be inside.
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

/** Resolves `written` against `base` lexically. Returns undefined when it climbs above the root. */
function resolve(base: string[], written: string): string[] | undefined {
  for (const part of written.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') base.push(part);
    else if (base.pop() === undefined) return undefined;
  }
  return base;
}

/** Returns an absolute target's parts relative to the root. */
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
    // The entry exists but does not resolve: it is another dangling link, and its target is unknown.
    if (lstatSync(toPath(address), { throwIfNoEntry: false }) !== undefined) return false;
    parts.pop();
  }
  return true;
}

function tryRealPath(path: ByteString): ByteString | undefined {
  try {
    return realPath(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

import { readFileSync, statSync } from 'node:fs';

/** Returns the files that are beside an open ledger: SQLite's WAL and its index, and the lock. */
export function besideIt(path: string): readonly string[] {
  return [`${path}-wal`, `${path}-shm`, `${path}.lock`];
}

/**
 * Returns why the ledger's file and the files beside it could be separated; undefined when they stay together. The WAL
 * holds the last commits, so a separated ledger loses accepted requests, and two gateways do not see each other's lock.
 * @param path real path of an existing file
 */
export function separationOf(path: string): string | undefined {
  const mounted = [path, ...besideIt(path)].find(isMountPoint);
  if (mounted !== undefined) {
    return `cannot be used: ${mounted} is mounted by itself. Mount its folder instead, which also holds the WAL and the lock`;
  }
  // SQLite finds the WAL by the database's name, so each name would have a WAL and a lock of its own.
  const { nlink } = statSync(path);
  if (nlink === 1) return undefined;
  return `cannot be used: the file has ${nlink} names (hard links). Remove the others, or copy the file to a place of its own`;
}

/** Returns whether a file system is mounted at this path. Only Linux tells: proc_pid_mountinfo(5). */
function isMountPoint(path: string): boolean {
  const escaped = path.replace(
    /[ \t\n\\]/g,
    (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`,
  );
  return mountPoints().has(escaped);
}

function mountPoints(): ReadonlySet<string> {
  try {
    const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
    return new Set(lines.map((line) => line.split(' ')[4] ?? ''));
  } catch {
    return new Set();
  }
}

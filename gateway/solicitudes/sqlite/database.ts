import { chmodSync, closeSync, mkdirSync, openSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { LedgerUnavailableError } from '../ledger.ts';
import { applicationId, migrations } from './migrations.ts';

/** Another process (or another ledger in this one) already uses the file. */
export class LedgerLockedError extends Error {
  override readonly name = 'LedgerLockedError';
}

// Primary result codes, https://www.sqlite.org/rescode.html
const BUSY = 5;
const NOTADB = 26;

/** The primary SQLite result code of what was thrown; undefined when it did not come from SQLite. */
export function resultCode(thrown: unknown): number | undefined {
  if (!(thrown instanceof Error) || !('errcode' in thrown) || typeof thrown.errcode !== 'number')
    return undefined;
  return thrown.errcode & 0xff;
}

/** The file's real path, so that a link and its target have one lock. Makes the folder when there is none. */
function resolve(path: string): string {
  mkdirSync(dirname(path), { recursive: true });
  try {
    return realpathSync(path);
  } catch {
    return join(realpathSync(dirname(path)), basename(path));
  }
}

/**
 * One gateway per file: an exclusive transaction on an empty database next to it, held as long as the connection is
 * open. The lock is the kernel's (fcntl), so that nothing is left after `kill -9`; and it is not on the ledger itself,
 * which people can go on reading and backing up. Nobody in this process may open that file by other means: closing any
 * of its descriptors would drop the lock.
 */
function lock(path: string): DatabaseSync {
  const holder = new DatabaseSync(`${path}.lock`);
  try {
    holder.exec('BEGIN EXCLUSIVE');
    return holder;
  } catch (cause) {
    holder.close();
    if (resultCode(cause) !== BUSY) throw cause;
    throw new LedgerLockedError(
      `The ledger ${path} is in use by another gateway (it holds ${path}.lock). ` +
        'One gateway per file: stop the other one, or give this one a file of its own.',
    );
  }
}

function integer(db: DatabaseSync, sql: string): number {
  return Number(Object.values(db.prepare(sql).get() ?? {})[0]);
}

function migrate(db: DatabaseSync, path: string): void {
  const version = integer(db, 'PRAGMA user_version');
  const empty = integer(db, 'SELECT count(*) FROM sqlite_schema') === 0;
  if (!empty && integer(db, 'PRAGMA application_id') !== applicationId) {
    throw new LedgerUnavailableError(`${path} is a SQLite database, but not a ledger of Archivero`);
  }
  if (version > migrations.length) {
    throw new LedgerUnavailableError(
      `The ledger ${path} has schema version ${version}, made by a newer Archivero; this one knows ${migrations.length}`,
    );
  }
  migrations.slice(version).forEach((step, index) => {
    db.exec(`BEGIN IMMEDIATE; PRAGMA application_id = ${applicationId};
      ${step}; PRAGMA user_version = ${version + index + 1}; COMMIT;`);
  });
}

function open(path: string): DatabaseSync {
  // Made here, because SQLite would make it readable for everybody; its -wal and -shm get the same mode.
  closeSync(openSync(path, 'a', 0o600));
  chmodSync(path, 0o600);
  // The timeout is for people who write to the file with a tool of their own.
  const db = new DatabaseSync(path, { timeout: 1000 });
  try {
    // fullfsync: on macOS fsync alone does not reach the disk. journal_size_limit: after a burst the WAL shrinks again.
    db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA fullfsync = ON;
      PRAGMA checkpoint_fullfsync = ON; PRAGMA journal_size_limit = 67108864; PRAGMA temp_store = MEMORY;`);
    migrate(db, path);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

export interface Storage {
  /** The real path of the file. */
  readonly path: string;
  readonly db: DatabaseSync;
  /** Throws when the file, or its lock, is no longer where it was: what is written to it would be found by nobody. */
  check(): void;
  /** Checkpoints, closes the file and lets go of the lock. */
  close(): void;
}

/**
 * Locks and opens the ledger's file for writing, and brings its schema up to date. Throws `LedgerLockedError`, or
 * `LedgerUnavailableError` with a text for people.
 */
export function openStorage(wanted: string): Storage {
  let holder: DatabaseSync | undefined;
  try {
    const path = resolve(wanted);
    const held = lock(path);
    holder = held;
    const db = open(path);
    const close = () => {
      try {
        db.close(); // the last connection: SQLite checkpoints and removes the WAL
      } finally {
        held.close();
      }
    };
    const places = [path, `${path}.lock`].map((place) => ({ place, inode: statSync(place).ino }));
    const check = () => {
      for (const { place, inode } of places) {
        if (statSync(place, { throwIfNoEntry: false })?.ino === inode) continue;
        throw new LedgerUnavailableError(
          `${place} was deleted or replaced while the gateway runs; start it again`,
        );
      }
    };
    return { path, db, check, close };
  } catch (cause) {
    holder?.close();
    if (cause instanceof LedgerLockedError || cause instanceof LedgerUnavailableError) throw cause;
    const why =
      resultCode(cause) === NOTADB
        ? 'it is not a SQLite database, or it is damaged'
        : cause instanceof Error
          ? cause.message
          : String(cause);
    throw new LedgerUnavailableError(`The ledger ${wanted} cannot be opened: ${why}`, { cause });
  }
}

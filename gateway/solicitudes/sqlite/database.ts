import { chmodSync, closeSync, mkdirSync, openSync, realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { LedgerUnavailableError } from '../ledger.ts';
import { besideIt, separationOf } from './beside.ts';
import { applicationId, migrations } from './migrations.ts';

/** Another process, or another ledger in this one, already uses the file. */
export class LedgerLockedError extends Error {
  override readonly name = 'LedgerLockedError';
}

// Primary result codes, https://www.sqlite.org/rescode.html
const BUSY = 5;
const CANTOPEN = 14;
const NOTADB = 26;

/** Returns the primary SQLite result code of an error; undefined when the error is not SQLite's. */
export function resultCode(thrown: unknown): number | undefined {
  if (!(thrown instanceof Error) || !('errcode' in thrown) || typeof thrown.errcode !== 'number')
    return undefined;
  return thrown.errcode & 0xff;
}

/** Creates the file and its folder when missing. Returns its real path, so that a link and its target share one lock. */
function create(path: string): string {
  mkdirSync(dirname(path), { recursive: true });
  // Opening a FIFO would block, and /dev/null would lose its mode.
  if (statSync(path, { throwIfNoEntry: false })?.isFile() === false) {
    throw new LedgerUnavailableError(`The ledger ${path} cannot be opened: it is not a regular file`);
  }
  // Created here, because SQLite would make it world-readable. Its -wal and -shm files get the same mode.
  closeSync(openSync(path, 'a', 0o600));
  return realpathSync(path);
}

/**
 * Locks the ledger for one gateway, by an exclusive transaction on an empty database beside it. The lock is the kernel's
 * (fcntl), so `kill -9` releases it. It is not on the ledger itself, which other programs may go on reading and backing
 * up.
 *
 * This process must not open the lock file in any other way: closing any of its descriptors would drop the lock.
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
      `The ledger ${path} has schema version ${version}, made by a newer Archivero; this version supports ${migrations.length}`,
    );
  }
  migrations.slice(version).forEach((step, index) => {
    db.exec(`BEGIN IMMEDIATE; PRAGMA application_id = ${applicationId};
      ${step}; PRAGMA user_version = ${version + index + 1}; COMMIT;`);
  });
}

function open(path: string): DatabaseSync {
  chmodSync(path, 0o600);
  // The timeout covers writes by other tools, such as the sqlite3 shell.
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
  /** Throws when the file or one beside it was moved or deleted: further writes would be lost. */
  check(): void;
  /** Checkpoints, closes the file and releases the lock. */
  close(): void;
}

/**
 * Locks and opens the ledger's file for writing, and migrates its schema. Throws `LedgerLockedError`, or
 * `LedgerUnavailableError` with a message for the operator.
 */
export function openStorage(configured: string): Storage {
  let holder: DatabaseSync | undefined;
  try {
    const path = create(configured);
    const separation = separationOf(path);
    if (separation !== undefined) throw new LedgerUnavailableError(`The ledger ${path} ${separation}`);
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
    const files = [path, ...besideIt(path)].map((file) => ({ file, inode: statSync(file).ino }));
    const check = () => {
      for (const { file, inode } of files) {
        if (statSync(file, { throwIfNoEntry: false })?.ino === inode) continue;
        throw new LedgerUnavailableError(
          `${file} was deleted or replaced while the gateway runs; start it again`,
        );
      }
    };
    return { path, db, check, close };
  } catch (cause) {
    holder?.close();
    if (cause instanceof LedgerLockedError || cause instanceof LedgerUnavailableError) throw cause;
    throw new LedgerUnavailableError(`The ledger ${configured} cannot be opened: ${reasonOf(cause)}`, {
      cause,
    });
  }
}

function reasonOf(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  switch (resultCode(cause)) {
    case NOTADB:
      return 'it is not a SQLite database, or it is damaged';
    case CANTOPEN:
      return `${message}; the WAL and the lock are created in its folder, which must be writable`;
    default:
      return message;
  }
}

import { accessSync, constants, existsSync, realpathSync, statfsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { remoteFileSystems } from '../../filesystem/change-events.ts';
import type { GatewayConfig } from '../../gateway/config.ts';
import { separationOf } from '../../gateway/solicitudes/sqlite/beside.ts';
import { applicationId, migrations } from '../../gateway/solicitudes/sqlite/migrations.ts';
import { type Finding, fine, megabytes, messageOf, note, wrong } from './finding.ts';

const littleRoom = 1 * 2 ** 30;
const tooLittleRoom = 100 * 2 ** 20;
const longWal = 512 * 2 ** 20;

/** Checks the ledger's file, read-only; the gateway may use it meanwhile. */
export function checkSqlite(path: string, config: GatewayConfig): Finding[] {
  const folder = nearestFolder(dirname(resolve(path)));
  const found: Finding[] = [];
  try {
    accessSync(existsSync(path) ? path : folder, constants.W_OK);
    accessSync(folder, constants.W_OK);
  } catch (error) {
    return [
      wrong(
        `The ledger ${path} cannot be written: ${messageOf(error)}`,
        'Let the gateway run as the owner of the folder and the file.',
      ),
    ];
  }
  const { bavail, bsize, type } = statfsSync(folder);
  const room = bavail * bsize;
  const free = `${megabytes(room)} are free in the ledger's folder (${folder})`;
  if (room < tooLittleRoom) found.push(wrong(free, 'Free some space: new requests get 503 when it is full.'));
  else
    found.push(
      room < littleRoom ? note(free, 'Free some space: new requests get 503 when it is full.') : fine(free),
    );
  if (remoteFileSystems.has(type)) {
    found.push(
      wrong(
        `The ledger ${path} is on a network file system, where SQLite is not safe`,
        'Put it on a disk of this machine (LEDGER_URL), or use PostgreSQL.',
      ),
    );
  }
  if (!existsSync(path)) return [...found, fine(`The ledger ${path} will be created at the first start`)];
  const separation = separationOf(realpathSync(path));
  if (separation !== undefined) {
    found.push(wrong(`The ledger ${path} ${separation}`, 'docs/operations.md, The ledger, tells why.'));
  }
  return [...found, ...contents(path, config)];
}

function contents(
  path: string,
  { LEDGER_MAX_ROWS: maxRows, LEDGER_MAX_BYTES: maxBytes }: GatewayConfig,
): Finding[] {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path, { readOnly: true, timeout: 1_000 });
    const value = (sql: string): unknown => Object.values(db?.prepare(sql).get() ?? {})[0];
    if (Number(value('SELECT count(*) FROM sqlite_schema')) === 0)
      return [fine(`The ledger ${path} is empty`)];
    if (value('PRAGMA application_id') !== applicationId) {
      return [
        wrong(
          `${path} is a SQLite database, but not a ledger of Archivero`,
          'Let LEDGER_URL name another file.',
        ),
      ];
    }
    const version = Number(value('PRAGMA user_version'));
    if (version > migrations.length) {
      return [
        wrong(
          `The ledger ${path} has schema version ${version}, made by a newer Archivero; this version supports ${migrations.length}`,
          'Run the newer version, or restore the copy made before the upgrade.',
        ),
      ];
    }
    const found: Finding[] = [
      version < migrations.length
        ? note(
            `The ledger ${path} has schema version ${version}; the next start brings it to ${migrations.length}`,
            'Back it up first (docs/operations.md).',
          )
        : fine(`The ledger ${path} has schema version ${version}`),
    ];
    const wal = statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
    if (wal > longWal) {
      found.push(
        note(
          `Its WAL has ${megabytes(wal)}: a reader keeps it from shrinking`,
          'Close the program that keeps the file open (a backup, a shell).',
        ),
      );
    }
    if (version < migrations.length) return found;
    return [
      ...found,
      room(Number(value('SELECT sum(rows) FROM totals')), maxRows, 'requests'),
      room(Number(value('SELECT sum(bytes) FROM totals')), maxBytes, 'bytes'),
    ];
  } catch (error) {
    return [
      wrong(
        `The ledger ${path} cannot be read: ${messageOf(error)}`,
        'If it is damaged, restore a copy, or move it away to start empty (docs/operations.md).',
      ),
    ];
  } finally {
    db?.close();
  }
}

/** Reports how much of a limit is used. */
export function room(used: number, most: number, of: 'requests' | 'bytes'): Finding {
  const text = `The ledger keeps ${used} of ${most} ${of}`;
  const variable = of === 'requests' ? 'LEDGER_MAX_ROWS' : 'LEDGER_MAX_BYTES';
  const todo = `At the limit new requests get 503. Raise ${variable}, or keep answers for less time (ANSWER_RETENTION_MS).`;
  if (used >= most) return wrong(text, todo);
  return used > 0.8 * most ? note(text, todo) : fine(text);
}

function nearestFolder(path: string): string {
  return existsSync(path) || path === dirname(path) ? path : nearestFolder(dirname(path));
}

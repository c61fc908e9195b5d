import type { GatewayConfig } from '../../gateway/config.ts';
import { urlParts } from '../../runtime/url-parts.ts';
import { compareClocks } from './clock.ts';
import { type Finding, fine, messageOf, note, wrong } from './finding.ts';
import { room } from './ledger.ts';

const minVersion = 130_000;

/** Checks the ledger in a PostgreSQL database, read-only. */
export async function checkPostgres(
  url: string,
  { LEDGER_MAX_ROWS: maxRows, LEDGER_MAX_BYTES: maxBytes }: GatewayConfig,
): Promise<readonly Finding[]> {
  // Loaded only when PostgreSQL is configured.
  const { default: pg } = await import('pg');
  const { connectionConfig, newDatabase } = await import('../../gateway/solicitudes/postgres/database.ts');
  const { migrations } = await import('../../gateway/solicitudes/postgres/migrations.ts');
  const { host } = new URL(url);
  const client = new pg.Client(connectionConfig(url));
  client.on('error', () => undefined);
  const value = async (text: string): Promise<unknown> =>
    Object.values((await client.query(text)).rows[0] ?? {})[0];
  try {
    await client.connect();
    const before = Date.now();
    const there = Number(await value('SELECT extract(epoch FROM clock_timestamp()) * 1000'));
    const ahead = there - (before + Date.now()) / 2;
    const version = String(await value("SELECT current_setting('server_version')"));
    const found: Finding[] = [
      fine(`PostgreSQL ${version} answers at ${host}, database ${urlParts(url).path}`),
    ];
    if (Number(await value("SELECT current_setting('server_version_num')")) < minVersion) {
      found.push(wrong(`PostgreSQL ${version} is too old`, 'Use 13 or newer.'));
    }
    const encoding = await value("SELECT current_setting('server_encoding')");
    if (encoding !== 'UTF8') {
      const todo = `Create one in UTF-8, and set LEDGER_URL to it: ${newDatabase}`;
      found.push(wrong(`Its encoding is ${encoding}, which cannot hold every name`, todo));
    }
    if ((await value("SELECT current_setting('fsync')")) === 'off') {
      found.push(
        wrong(
          'PostgreSQL runs with fsync off: a power cut loses accepted requests',
          'Set fsync = on in postgresql.conf.',
        ),
      );
    }
    if ((await value('SELECT pg_is_in_recovery()')) === true) {
      found.push(
        wrong('PostgreSQL is a standby: the ledger cannot be written', 'Set LEDGER_URL to the primary.'),
      );
    }
    found.push(compareClocks('Its', ahead));
    if ((await value("SELECT to_regclass('archivero.migrations')")) === null) {
      return [
        ...found,
        note(
          'The schema archivero does not exist yet; the first start creates it',
          'The user needs the permission: GRANT CREATE ON DATABASE …',
        ),
      ];
    }
    const schema = Number(await value('SELECT coalesce(max(version), 0) FROM archivero.migrations'));
    if (schema > migrations.length) {
      return [
        ...found,
        wrong(
          `The ledger has schema version ${schema}, made by a newer Archivero; this version supports ${migrations.length}`,
          'Run the newer version.',
        ),
      ];
    }
    found.push(
      schema < migrations.length
        ? note(
            `The ledger has schema version ${schema}; the next start brings it to ${migrations.length}`,
            'Back it up with pg_dump first.',
          )
        : fine(`The ledger has schema version ${schema}`),
    );
    const sum = (column: string) => value(`SELECT coalesce(sum(${column}), 0) FROM archivero.totals`);
    return [
      ...found,
      room(Number(await sum('rows')), maxRows, 'requests'),
      room(Number(await sum('bytes')), maxBytes, 'bytes'),
    ];
  } catch (error) {
    return [
      wrong(
        `PostgreSQL at ${host} cannot be used: ${messageOf(error)}`,
        'Correct LEDGER_URL, start the server, or allow the user in (pg_hba.conf, GRANT).',
      ),
    ];
  } finally {
    await client.end().catch(() => undefined);
  }
}

import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePorts } from '../../../scripts/free-ports.ts';
import { TemporaryFolder } from '../../support/files/temporary-folder.ts';
import { answers, Program } from '../gateway/program.ts';
import { Client } from './load.ts';

const repository = fileURLToPath(new URL('../../../', import.meta.url));

/** Interval of the queries on the ledger. They use its indexes and totals, so they do not disturb the measurement. */
const pollMs = 100;

/** A gateway with its own ledger, and an mserv1 that does not run at first. */
export interface SolicitudesSetUp {
  readonly url: string;
  readonly client: Client;
  /** Starts mserv1; resolves when its port is open. */
  startService(): Promise<Program>;
  /** Has `count` different requests accepted. Their folders do not exist, because transport is measured, not work. */
  fill(count: number): Promise<void>;
  /** Resolves when `count` rows are in the queue. */
  untilQueued(count: number): Promise<void>;
  /**
   * Resolves when all rows are closed, with the rate per second between the first and the last close. Counts only rows closed
   * after `since`, in ms since 1970, because the ledger has rows of earlier measurements. Rejects when there are fewer than
   * `least`.
   */
  untilClosed(since: number, least: number): Promise<number>;
  stop(): Promise<void>;
}

/** @param rabbit URL of the broker; empty for none */
export async function startSetUp(rabbit: string): Promise<SolicitudesSetUp> {
  const folder = new TemporaryFolder();
  const root = new TemporaryFolder();
  writeFileSync(root.join('uno.txt'), 'x');
  const [port = 0, servicePort = 0, unusedPort = 0] = await freePorts(3);
  const ledger = folder.join('solicitudes.db');
  const env = {
    ENV_FILE: '',
    LOG_FORMAT: 'json',
    LOG_LEVEL: 'warn',
    NODE_ENV: 'production',
    RABBITMQ_URL: rabbit,
    FILES_ROOT: root.path,
    GATEWAY_PORT: String(port),
    MSERV1_PORT: String(servicePort),
    MSERV1_URL: `127.0.0.1:${servicePort}`,
    MSERV2_URL: `127.0.0.1:${unusedPort}`,
    LEDGER_URL: `sqlite:${ledger}`,
  };
  const programs: Program[] = [];
  const start = async (entry: string, ready: () => Promise<boolean>): Promise<Program> => {
    const program = new Program(process.execPath, [entry], { cwd: repository, env });
    programs.push(program);
    return program.until(ready);
  };
  const url = `http://127.0.0.1:${port}`;
  const client = new Client(url);
  await start('gateway/main.ts', () => answers(`${url}/salud/viva`));

  return {
    url,
    client,
    startService: () => start('mserv1/main.ts', () => listens(servicePort)),
    async fill(count) {
      let next = 0;
      const acceptInTurn = async (): Promise<void> => {
        for (let at = next++; at < count; at = next++) {
          const { status } = await client.get(`/listar_archivos?ruta=no-${at}`);
          if (status !== 202) throw new Error(`Answered with ${status}, not 202`);
        }
      };
      await Promise.all(Array.from({ length: 64 }, acceptInTurn));
    },
    async untilQueued(count) {
      using db = ledgerOf(ledger);
      const queued = db.prepare("SELECT count(*) AS rows FROM requests WHERE state = 'encolada'");
      while (Number(queued.get()?.['rows']) < count) await delay(pollMs);
    },
    async untilClosed(since, least) {
      using db = ledgerOf(ledger);
      const open = db.prepare('SELECT sum(open) AS rows FROM totals');
      while (Number(open.get()?.['rows']) > 0) await delay(pollMs);
      const closed = db
        .prepare(
          'SELECT count(*) AS rows, max(closed_at) - min(closed_at) AS ms FROM requests WHERE closed_at > ?',
        )
        .get(since);
      if (Number(closed?.['rows']) < least)
        throw new Error(`Only ${closed?.['rows']} requests were answered`);
      return Number(closed?.['rows']) / (Number(closed?.['ms']) / 1000);
    },
    async stop() {
      client.close();
      for (const program of programs.toReversed()) await program.stop();
      folder[Symbol.dispose]();
      root[Symbol.dispose]();
    },
  };
}

function ledgerOf(path: string): DatabaseSync {
  return new DatabaseSync(path, { readOnly: true, timeout: 1_000 });
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

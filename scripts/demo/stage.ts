import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePorts } from '../free-ports.ts';
import { findRabbit } from '../rabbit-install.mjs';
import { createRabbitNode, type RabbitNode } from '../rabbit-node.ts';
import { createServiceProcess, type ServiceProcess } from '../service-process.ts';

export type Name = 'mserv1' | 'mserv2' | 'gateway';

/** A complete Archivero with its own ports and RabbitMQ; `close` removes all of it. */
export interface Stage {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** Temporary folder for all files; deleted by `close`. */
  readonly folder: string;
  /** Undefined without RabbitMQ; then the ledger alone keeps the requests. */
  readonly rabbit: RabbitNode | undefined;
  /** Returns the command that starts this process in a terminal. */
  commandOf(name: Name): string;
  /** Starts the process; after its end again, on the same port. */
  start(name: Name): Promise<void>;
  pidOf(name: Name): number;
  /** Resolves when the process has ended. Call it before killing the process. */
  expectExit(name: Name): Promise<void>;
  /** Ends all processes at once and deletes the folder. */
  close(): Promise<void>;
}

const stopMs = 500;

/** Starts the broker, if one is installed and wanted. The story starts the other processes. */
export async function openStage({ broker }: { readonly broker: boolean }): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'archivero-demo-'));
  const [gateway = 0, mserv1 = 0, mserv2 = 0, amqp = 0, management = 0] = await freePorts(5);
  const running = new Map<Name, ServiceProcess>();
  let rabbit: RabbitNode | undefined;
  if (broker && findRabbit() !== undefined) {
    rabbit = await createRabbitNode({
      dir: join(folder, 'rabbitmq'),
      name: `archivero-demo-${process.pid}@localhost`,
      port: amqp,
      managementPort: management,
      config: ['collect_statistics_interval = 500'],
      erlang: '+sbwt none +sbwtdcpu none +sbwtdio none',
    });
  }
  const env = {
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    ENV_FILE: '',
    FILES_ROOT: fileURLToPath(new URL('../../examples/archivos', import.meta.url)),
    RABBITMQ_URL: rabbit?.url ?? '',
    GATEWAY_PORT: String(gateway),
    MSERV1_PORT: String(mserv1),
    MSERV2_PORT: String(mserv2),
    MSERV1_URL: `127.0.0.1:${mserv1}`,
    MSERV2_URL: `127.0.0.1:${mserv2}`,
    MSERV2_SNAPSHOT: '',
    LEDGER_URL: `sqlite:${join(folder, 'solicitudes.db')}`,
  };
  const ports = { gateway, mserv1, mserv2 };

  const stage: Stage = {
    url: `http://127.0.0.1:${gateway}`,
    folder,
    rabbit,
    commandOf: (name) => `${name.toUpperCase()}_PORT=${ports[name]} npm run ${name}`,
    async start(name) {
      let output: string[] = [];
      const service = createServiceProcess({
        name,
        env: () => env,
        onLine: (line) => {
          output = [...output.slice(-20), line];
        },
        onDeath: () => undefined,
      });
      running.set(name, service);
      await service.start().catch((cause: unknown) => {
        throw new Error(`${name} did not start:\n${output.join('\n')}`, { cause });
      });
    },
    pidOf: (name) => running.get(name)?.pid ?? 0,
    async expectExit(name) {
      await running.get(name)?.expectExit();
    },
    async close() {
      for (const name of running.keys()) await end(stage, name);
      await rabbit?.end('SIGKILL');
      await rabbit?.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  try {
    await rabbit?.start();
    return stage;
  } catch (error) {
    await stage.close();
    throw error;
  }
}

/** Stops a process cleanly when that is quick, so that it delivers its answers; otherwise kills it. */
async function end(stage: Stage, name: Name): Promise<void> {
  const pid = stage.pidOf(name);
  const exit = stage.expectExit(name);
  const signal = (which: NodeJS.Signals): void => {
    try {
      process.kill(pid, which);
    } catch {
      // The process has already ended.
    }
  };
  if (pid === 0) return;
  signal('SIGTERM');
  const late = setTimeout(signal, stopMs, 'SIGKILL');
  await exit;
  clearTimeout(late);
}

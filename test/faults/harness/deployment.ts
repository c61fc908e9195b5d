import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TemporaryFolder } from '../../support/files/temporary-folder.ts';
import { type LogLine, type Proc, startProcess } from '../../support/processes/processes.ts';
import type { ProcessName } from '../../support/processes/set-up.ts';
import type { Postgres } from '../../support/servers/postgres.ts';
import type { Broker } from './broker.ts';
import type { FaultProxy } from './fault-proxy.ts';
import { type LedgerReader, postgresLedgerReader, sqliteLedgerReader } from './ledger-reader.ts';
import { createWiring, type Instance, type ProxyName, programOf } from './wiring.ts';

export interface DeploymentOptions {
  /** Whether RabbitMQ is used. Default: true. */
  readonly broker?: boolean;
  /** Kind of ledger. Default: `sqlite`. */
  readonly ledger?: 'sqlite' | 'postgres';
  /** Connections that go through a proxy. All others are direct, so that a dead process refuses them. */
  readonly proxies?: readonly ProxyName[];
  /** Processes that run at first. Default: one of each program. */
  readonly running?: readonly Instance[];
  /** Environment of all processes. */
  readonly env?: Readonly<Record<string, string>>;
  /** Entry files that replace, for instance, `mserv1/main.ts`; paths in the source tree. */
  readonly entries?: Readonly<Partial<Record<ProcessName, string>>>;
  /** Whether the gateway knows two addresses of each service: `mserv1` and `mserv1#2`. */
  readonly replicas?: boolean;
  /** Prepares the ledger's folder before the gateway starts; returns a function that undoes it. */
  readonly prepare?: (ledgerFolder: string) => () => void;
}

/** All of Archivero as real processes that can be killed, frozen and cut off. */
export interface Deployment extends AsyncDisposable {
  readonly url: string;
  /** Folder that the services list and search. */
  readonly root: string;
  /** File of the ledger on SQLite. */
  readonly ledgerFile: string;
  readonly ledgerReader: LedgerReader;
  readonly postgres: Postgres;
  readonly hasBroker: boolean;
  readonly broker: Broker;
  proxy(name: ProxyName): FaultProxy;
  /** Cancels the armed faults of all proxies. */
  disarm(): void;
  portOf(name: Instance): Promise<number>;
  /** Starts a process, always on the same port, unless it runs. `env` is for this start only. */
  start(name: Instance, env?: Readonly<Record<string, string>>): Promise<Proc>;
  /** Sends SIGKILL. Does nothing when the process does not run. */
  kill(name: Instance): Promise<void>;
  /** Waits for a process whose end is expected, because a fault kills it. */
  awaitExit(name: Instance): Promise<void>;
  /** Sends SIGTERM. An exit code other than 0 becomes an unexpected exit. */
  stop(name: Instance): Promise<void>;
  /** Returns a running process; throws when it does not run. */
  proc(name: Instance): Proc;
  readonly running: readonly Instance[];
  /** Processes that ended without being killed or stopped, or whose stop failed. */
  readonly unexpectedExits: readonly string[];
  /** Highest sampled resident memory by program, in bytes. */
  readonly peakMemory: ReadonlyMap<ProcessName, number>;
  /** Returns the log lines of all processes, also of ended ones, in order of reading; `since` leaves out older ones. */
  log(since?: number): readonly LoggedLine[];
}

/** A line of a process's log. */
export interface LoggedLine {
  readonly name: Instance;
  readonly pid: number;
  readonly line: LogLine;
  /** Time of reading, in milliseconds of the harness's monotonic clock. */
  readonly at: number;
}

export interface DeploymentParts {
  readonly broker: Broker | undefined;
  readonly postgres: Postgres | undefined;
  /** Source tree of the programs. */
  readonly source: string;
  /** Source tree of the first start of each program. A restart upgrades to `source`. */
  readonly old: string;
}

export const repository = fileURLToPath(new URL('../../..', import.meta.url));
const sampleMs = 250;

export async function createDeployment(
  options: DeploymentOptions,
  { broker: wanted, postgres, source, old }: DeploymentParts,
): Promise<Deployment> {
  const files = new TemporaryFolder();
  const ledger = new TemporaryFolder();
  const ledgerFile = ledger.join('solicitudes.db');
  const database = await postgres?.database();
  const unprepare = options.prepare?.(ledger.path);
  const wiring = await createWiring(options, {
    root: files.path,
    ledgerUrl: database ?? `sqlite:${ledgerFile}`,
    brokerUrl: wanted?.url,
    targets: { broker: wanted?.port, postgres: postgres?.port },
  });
  const processes = new Map<Instance, Proc>();
  const everything: { readonly name: Instance; readonly proc: Proc }[] = [];
  const exitExpected = new WeakSet<Proc>();
  const unexpectedExits: string[] = [];
  const peakMemory = new Map<ProcessName, number>();

  const sampler = setInterval(() => {
    for (const [name, { pid }] of processes) {
      const program = programOf(name);
      peakMemory.set(program, Math.max(peakMemory.get(program) ?? 0, residentBytes(pid)));
    }
  }, sampleMs);

  const deployment: Deployment = {
    url: wiring.url,
    root: files.path,
    ledgerFile,
    ledgerReader:
      postgres === undefined || database === undefined
        ? sqliteLedgerReader(ledgerFile)
        : postgresLedgerReader(postgres, database),
    get postgres() {
      if (postgres === undefined) throw new Error('This deployment has no PostgreSQL');
      return postgres;
    },
    hasBroker: wanted !== undefined,
    get broker() {
      if (wanted === undefined) throw new Error('This deployment has no broker');
      return wanted;
    },
    proxy: wiring.proxy,
    disarm: wiring.disarm,
    portOf: wiring.portOf,
    async start(name, env = {}) {
      const started = processes.get(name);
      if (started !== undefined) return started;
      const program = programOf(name);
      // A second start of a process, or a second process of a program, runs the new version.
      const isUpgrade = name.includes('#') || everything.some((one) => one.name === name);
      const entry = join(isUpgrade ? source : old, options.entries?.[program] ?? `${program}/main.ts`);
      const proc = await startProcess(entry, { ...(await wiring.envOf(name)), ...env });
      processes.set(name, proc);
      everything.push({ name, proc });
      void proc.exited.then(({ code, signal }) => {
        if (processes.get(name) === proc) processes.delete(name);
        if (!exitExpected.has(proc))
          unexpectedExits.push(`${name} ended by itself (${signal ?? `code ${code}`})`);
      });
      return proc;
    },
    async kill(name) {
      const proc = processes.get(name);
      if (proc === undefined) return;
      exitExpected.add(proc);
      await proc.kill();
      processes.delete(name);
    },
    async awaitExit(name) {
      const proc = processes.get(name);
      if (proc === undefined) return;
      exitExpected.add(proc);
      await proc.exited;
      processes.delete(name);
    },
    async stop(name) {
      const proc = processes.get(name);
      if (proc === undefined) return;
      exitExpected.add(proc);
      processes.delete(name);
      await proc
        .stop()
        .catch((error: unknown) => unexpectedExits.push((error as Error).message.split('\n')[0] ?? ''));
    },
    proc(name) {
      const proc = processes.get(name);
      if (proc === undefined) throw new Error(`${name} does not run`);
      return proc;
    },
    get running() {
      return [...processes.keys()];
    },
    unexpectedExits,
    peakMemory,
    log: (since = 0) =>
      everything
        .flatMap(({ name, proc: { pid, lines, heardAt } }) => {
          const from = heardAt.findIndex((at) => at >= since);
          const newer = from === -1 ? [] : lines.slice(from);
          return newer.map((line, n): LoggedLine => ({ name, pid, line, at: heardAt[from + n] ?? 0 }));
        })
        .sort((a, b) => a.at - b.at),
    async [Symbol.asyncDispose]() {
      clearInterval(sampler);
      await Promise.all([...processes.keys()].map((name) => deployment.kill(name)));
      await wiring.stop();
      unprepare?.();
      files[Symbol.dispose]();
      ledger[Symbol.dispose]();
    },
  };

  return deployment;
}

/** Starts processes, the gateway last: it would find the services unreachable and retry only after a pause. */
export async function startAll(
  deployment: Deployment,
  running: readonly Instance[] = ['mserv1', 'mserv2', 'gateway'],
) {
  const isGateway = (name: Instance): boolean => programOf(name) === 'gateway';
  await Promise.all(running.filter((name) => !isGateway(name)).map((name) => deployment.start(name)));
  for (const name of running.filter(isGateway)) await deployment.start(name);
}

function residentBytes(pid: number): number {
  try {
    return 1024 * Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

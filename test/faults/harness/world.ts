import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TemporaryFolder } from '../../support/files/temporary-folder.ts';
import { type LogLine, type Proc, startProcess } from '../../support/processes/processes.ts';
import type { Postgres } from '../../support/servers/postgres.ts';
import type { Broker } from './broker.ts';
import { type Evidence, postgresEvidence, sqliteEvidence } from './evidence.ts';
import type { Link } from './link.ts';
import { createWiring, type Instance, type LinkName, type Program, programOf } from './wiring.ts';

export interface WorldOptions {
  /** Whether there is a broker. Default true. */
  readonly broker?: boolean;
  /** Where requests are kept. Default `sqlite`. */
  readonly ledger?: 'sqlite' | 'postgres';
  /** Which connections go through a proxy of ours. The others are direct, so that what is down refuses. */
  readonly links?: readonly LinkName[];
  /** Which processes run at first. Default one of each. */
  readonly running?: readonly Instance[];
  /** For all of them. */
  readonly env?: Readonly<Record<string, string>>;
  /** Programs to run instead of `mserv1/main.ts`, below the source tree. */
  readonly entries?: Readonly<Partial<Record<Program, string>>>;
  /** Whether the gateway knows two addresses of each service: `mserv1` and `mserv1#2`. */
  readonly replicas?: boolean;
  /** Mounts or makes something in the folder of the ledger, before the gateway starts; gives what undoes it. */
  readonly prepare?: (ledgerFolder: string) => () => void;
}

/** All of Archivero as real processes, each of which can be killed, frozen and cut off. */
export interface World extends AsyncDisposable {
  readonly url: string;
  /** The folder that is listed and searched. */
  readonly root: string;
  /** Of the ledger, when it is SQLite's. */
  readonly ledgerFile: string;
  readonly evidence: Evidence;
  readonly postgres: Postgres;
  readonly hasBroker: boolean;
  readonly broker: Broker;
  link(name: LinkName): Link;
  /** No link has anything in store any more. */
  disarm(): void;
  portOf(name: Instance): Promise<number>;
  /** Starts it, on the port that it had before, unless it runs. `env` is for this start only. */
  start(name: Instance, env?: Readonly<Record<string, string>>): Promise<Proc>;
  /** SIGKILL, or waits for the end that somebody else brings about. Does nothing when it does not run. */
  kill(name: Instance, how?: 'at once' | 'is about to die'): Promise<void>;
  /** SIGTERM, which must end it with code 0. */
  stop(name: Instance): Promise<void>;
  /** The running process; throws when there is none. */
  proc(name: Instance): Proc;
  readonly running: readonly Instance[];
  /** What ended although nobody killed it, or did not end well. */
  readonly mishaps: readonly string[];
  /** The highest resident memory that was seen, bytes, by program. */
  readonly peakMemory: ReadonlyMap<Program, number>;
  /** What all of them have said, those that ended included, in the order in which it was heard; all, or what is newer. */
  log(since?: number): readonly Said[];
}

/** A line of a process's log. */
export interface Said {
  readonly name: Instance;
  readonly pid: number;
  readonly line: LogLine;
  /** When it was heard, by the harness's own monotonic clock, milliseconds. */
  readonly at: number;
}

export interface WorldParts {
  readonly broker: Broker | undefined;
  readonly postgres: Postgres | undefined;
  /** The source tree whose programs are run. */
  readonly source: string;
  /** The one that is run at first, to be upgraded from. */
  readonly old: string;
}

export const repository = fileURLToPath(new URL('../../..', import.meta.url));
const sampleMs = 250;

export async function createWorld(
  options: WorldOptions,
  { broker: wanted, postgres, source, old }: WorldParts,
): Promise<World> {
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
  const doomed = new WeakSet<Proc>();
  const mishaps: string[] = [];
  const peakMemory = new Map<Program, number>();

  const sampler = setInterval(() => {
    for (const [name, { pid }] of processes) {
      const program = programOf(name);
      peakMemory.set(program, Math.max(peakMemory.get(program) ?? 0, residentBytes(pid)));
    }
  }, sampleMs);

  const world: World = {
    url: wiring.url,
    root: files.path,
    ledgerFile,
    evidence:
      postgres === undefined || database === undefined
        ? sqliteEvidence(ledgerFile)
        : postgresEvidence(postgres, database),
    get postgres() {
      if (postgres === undefined) throw new Error('This world has no PostgreSQL');
      return postgres;
    },
    hasBroker: wanted !== undefined,
    get broker() {
      if (wanted === undefined) throw new Error('This world has no broker');
      return wanted;
    },
    link: wiring.link,
    disarm: wiring.disarm,
    portOf: wiring.portOf,
    async start(name, env = {}) {
      const there = processes.get(name);
      if (there !== undefined) return there;
      const program = programOf(name);
      // What is started a second time, or beside another, is the upgrade.
      const isUpgrade = name.includes('#') || everything.some((one) => one.name === name);
      const entry = join(isUpgrade ? source : old, options.entries?.[program] ?? `${program}/main.ts`);
      const proc = await startProcess(entry, { ...(await wiring.envOf(name)), ...env });
      processes.set(name, proc);
      everything.push({ name, proc });
      void proc.exited.then(({ code, signal }) => {
        if (processes.get(name) === proc) processes.delete(name);
        if (!doomed.has(proc)) mishaps.push(`${name} ended by itself (${signal ?? `code ${code}`})`);
      });
      return proc;
    },
    async kill(name, how = 'at once') {
      const proc = processes.get(name);
      if (proc === undefined) return;
      doomed.add(proc);
      await (how === 'at once' ? proc.kill() : proc.exited);
      processes.delete(name);
    },
    async stop(name) {
      const proc = processes.get(name);
      if (proc === undefined) return;
      doomed.add(proc);
      processes.delete(name);
      await proc
        .stop()
        .catch((error: unknown) => mishaps.push((error as Error).message.split('\n')[0] ?? ''));
    },
    proc(name) {
      const proc = processes.get(name);
      if (proc === undefined) throw new Error(`${name} does not run`);
      return proc;
    },
    get running() {
      return [...processes.keys()];
    },
    mishaps,
    peakMemory,
    log: (since = 0) =>
      everything
        .flatMap(({ name, proc: { pid, lines, heardAt } }) => {
          const from = heardAt.findIndex((at) => at >= since);
          const newer = from === -1 ? [] : lines.slice(from);
          return newer.map((line, n): Said => ({ name, pid, line, at: heardAt[from + n] ?? 0 }));
        })
        .sort((a, b) => a.at - b.at),
    async [Symbol.asyncDispose]() {
      clearInterval(sampler);
      await Promise.all([...processes.keys()].map((name) => world.kill(name)));
      await wiring.stop();
      unprepare?.();
      files[Symbol.dispose]();
      ledger[Symbol.dispose]();
    },
  };

  return world;
}

/** Starts what runs at first; the gateway last, because it would find the doors shut and look again only later. */
export async function startAll(world: World, running: readonly Instance[] = ['mserv1', 'mserv2', 'gateway']) {
  const isGateway = (name: Instance): boolean => programOf(name) === 'gateway';
  await Promise.all(running.filter((name) => !isGateway(name)).map((name) => world.start(name)));
  for (const name of running.filter(isGateway)) await world.start(name);
}

function residentBytes(pid: number): number {
  try {
    return 1024 * Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

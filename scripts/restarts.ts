import { type FSWatcher, watch } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Part } from '../runtime/lifecycle.ts';
import type { ServiceProcess } from './service-process.ts';

/** The services that run the code of each folder. */
const runners: Readonly<Record<string, readonly string[]>> = {
  gateway: ['gateway'],
  mserv1: ['mserv1'],
  mserv2: ['mserv2'],
  filesystem: ['mserv1', 'mserv2'],
  runtime: ['mserv1', 'mserv2', 'gateway'],
  'proto/gen': ['mserv1', 'mserv2', 'gateway'],
};

/** Editors write a file in several steps, and a branch switch writes many. */
const settleMs = 200;

/**
 * Restarts services when source files change: those that run the changed code. A service that does not start, because of a
 * syntax error for example, is started again at the next change.
 *
 * Not `node --watch`: it would restart RabbitMQ too, which takes ten seconds, and leave processes behind when killed.
 */
export function createRestarts(services: readonly ServiceProcess[], say: (text: string) => void): Part {
  const watchers: FSWatcher[] = [];
  const changed = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  let restarting = Promise.resolve();

  async function restart(): Promise<void> {
    const names = [...changed];
    changed.clear();
    for (const service of services.filter(({ name }) => names.includes(name))) {
      say(`${service.name}: source files changed; restarting`);
      // A rejected stop tells only how the old process ended.
      await service.stop().catch(() => {});
      await service.start().catch((error: unknown) => {
        say(`${(error as Error).message}; restarting at the next change of its source files`);
      });
    }
  }

  return {
    name: 'restarts',
    async start() {
      for (const [folder, names] of Object.entries(runners)) {
        const path = fileURLToPath(new URL(`../${folder}`, import.meta.url));
        const watcher = watch(path, { recursive: true }, () => {
          for (const name of names) changed.add(name);
          clearTimeout(timer);
          timer = setTimeout(() => {
            restarting = restarting.then(restart);
          }, settleMs);
        });
        watchers.push(watcher);
      }
    },
    async stop() {
      clearTimeout(timer);
      for (const watcher of watchers) watcher.close();
      await restarting;
    },
  };
}

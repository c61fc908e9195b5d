import { existsSync, globSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Scenario } from '../harness/scenario.ts';

const [library] = globSync('/usr/lib/**/faketime/libfaketimeMT.so.1');
const file = join(tmpdir(), `archivero-clock-${process.pid}`);
const hour = 3600;

/** Offsets the wall clock of gateway and services; their monotonic clock is not changed. */
function setClock(offset: string): void {
  writeFileSync(file, `${offset}\n`);
}

/** Environment that gives a deployment's processes their own clock. */
export const clockEnv: Readonly<Record<string, string>> = {
  LD_PRELOAD: library ?? '',
  FAKETIME_TIMESTAMP_FILE: file,
  FAKETIME_NO_CACHE: '1',
  DONT_FAKE_MONOTONIC: '1',
  FAKETIME_DISABLE_SHM: '1',
};

/** Sets the offset to 0; a deployment's `prepare`. */
export function resetClock(): () => void {
  setClock('+0');
  return () => rmSync(file, { force: true });
}

function jump(name: string, about: string, inOutage: boolean, jumps: readonly string[]): Scenario {
  return {
    name,
    about,
    missing: () =>
      library !== undefined && existsSync(library)
        ? undefined
        : 'libfaketime is not installed (apt-get install faketime)',
    deployment: {
      env: clockEnv,
      prepare: resetClock,
    },
    async fault({ deployment, load }) {
      if (inOutage) {
        await deployment.broker.kill();
        await deployment.kill('mserv1');
        await load.untilAccepted(40);
      }
      for (const offset of jumps) {
        setClock(offset);
        await load.untilAccepted(30);
        await delay(2_000);
      }
    },
    async repair({ deployment }) {
      if (inOutage) await deployment.broker.restart();
    },
  };
}

export const clock: readonly Scenario[] = [
  jump('clock-forward-and-back', 'the clock jumps an hour forward and back under load', false, [
    `+${hour}`,
    '+0',
  ]),
  jump('clock-back-in-an-outage', 'the clock jumps an hour back while broker and mserv1 are down', true, [
    `-${hour}`,
  ]),
  jump(
    'clock-forward-in-an-outage',
    'the clock jumps an hour forward while broker and mserv1 are down',
    true,
    [`+${hour}`],
  ),
];

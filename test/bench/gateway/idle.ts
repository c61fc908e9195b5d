import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePorts } from '../../../scripts/free-ports.ts';
import { TemporaryFolder } from '../../support/files/temporary-folder.ts';
import { median } from '../statistics.ts';
import { answers, Program } from './program.ts';

const repository = fileURLToPath(new URL('../../../', import.meta.url));

/** Figures of a gateway without requests. */
export interface Idle {
  /** Median time from the start to the first answer of `/salud/viva`, without the first start. */
  readonly startMs: number;
  /** Median resident memory two seconds later, in MB (2^20), from Linux's /proc. */
  readonly residentMb: number;
}

/** Starts the gateway as `npm run gateway` does, but without npm. Only its port and the file of its ledger are set. */
export async function measureIdle(starts: number): Promise<Idle> {
  const startsMs: number[] = [];
  const residentMb: number[] = [];
  using folder = new TemporaryFolder();
  for (let i = 0; i <= starts; i++) {
    const [port] = await freePorts(1);
    const env = {
      ENV_FILE: '',
      LOG_FORMAT: 'json',
      GATEWAY_PORT: String(port),
      LEDGER_URL: `sqlite:${folder.join('idle.db')}`,
    };
    const began = performance.now();
    const args = ['scripts/launch.mjs', 'gateway/main.ts'];
    const gateway = new Program(process.execPath, args, { cwd: repository, env });
    try {
      await gateway.until(() => answers(`http://127.0.0.1:${port}/salud/viva`));
      if (i > 0) startsMs.push(performance.now() - began);
      await delay(2_000);
      const status = readFileSync(`/proc/${gateway.pid}/status`, 'utf8');
      if (i > 0) residentMb.push(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024);
    } finally {
      await gateway.stop();
    }
  }
  return { startMs: Math.round(median(startsMs)), residentMb: Math.round(median(residentMb)) };
}

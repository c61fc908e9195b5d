import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePorts } from '../../../scripts/free-ports.ts';
import { TemporaryFolder } from '../../support/files/temporary-folder.ts';
import { answers, Program } from './program.ts';
import { median } from './report.ts';

const repository = fileURLToPath(new URL('../../../', import.meta.url));

/** A gateway that nobody asks for anything. */
export interface Idle {
  /** From its start to its first answer (`/salud/viva`), milliseconds; the median, the first start is not counted. */
  readonly startMs: number;
  /** What it holds resident two seconds later, in MB (2^20). Only Linux tells. */
  readonly residentMb: number;
}

/** Starts the gateway as `npm run gateway` does (without npm), with nothing configured but where it listens and keeps its file. */
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

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/**
 * Returns the process that listens on a TCP port of this machine, as `node gateway/main.ts (pid 123)`; undefined when
 * it is not visible.
 */
export function portHolder(port: number): string | undefined {
  return process.platform === 'linux' ? holderByProc(port) : holderByLsof(port);
}

const listening = '0A';

/** Reads /proc/net/tcp: https://www.kernel.org/doc/html/latest/networking/proc_net_tcp.html */
function holderByProc(port: number): string | undefined {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const sockets = new Set(
    ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((table) =>
      linesOf(table).flatMap((line) => {
        const fields = line.trim().split(/\s+/);
        const [, local = '', , state] = fields;
        return local.endsWith(suffix) && state === listening ? [`socket:[${fields[9]}]`] : [];
      }),
    ),
  );
  const pid = readdirSync('/proc').find((name) => /^\d+$/.test(name) && holds(name, sockets));
  return pid === undefined ? undefined : `${commandOf(pid)} (pid ${pid})`;
}

const mostChars = 160;

/** Returns a process's command line, because `comm` may be a thread's name. Kernel processes have no arguments. */
function commandOf(pid: string): string {
  const [line = ''] = linesOf(`/proc/${pid}/cmdline`);
  const command = line.replaceAll('\0', ' ').trim() || linesOf(`/proc/${pid}/comm`)[0] || 'a process';
  return command.length > mostChars ? `${command.slice(0, mostChars)}…` : command;
}

/** Returns whether a process holds one of the sockets. Other users' processes are visible to root only. */
function holds(pid: string, sockets: ReadonlySet<string>): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      try {
        return sockets.has(readlinkSync(`/proc/${pid}/fd/${fd}`));
      } catch {
        return false;
      }
    });
  } catch {
    return false;
  }
}

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n');
  } catch {
    return [];
  }
}

function holderByLsof(port: number): string | undefined {
  try {
    const out = execFileSync('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fpc'], { encoding: 'utf8' });
    const field = (name: string): string | undefined => new RegExp(`^${name}(.+)$`, 'm').exec(out)?.[1];
    return field('p') === undefined ? undefined : `${field('c')} (pid ${field('p')})`;
  } catch {
    return undefined;
  }
}

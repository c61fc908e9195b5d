import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Protects the machine's files from a command. */
export interface Sandbox {
  /** Program and arguments to put before the command. */
  readonly prefix: readonly string[];
  /** Whether all files outside the given folders are read-only. */
  readonly readOnly: boolean;
  /** The protection in one line, printed at the start of a test run. */
  readonly description: string;
}

const script = fileURLToPath(new URL('sandbox.sh', import.meta.url));

/**
 * Returns the strongest protection that the system allows. On Linux this is a mount namespace in which only these folders
 * can be written. Throws for root on Linux when the namespace cannot be made, because then nothing protects the machine.
 */
export function openSandbox(folders: readonly string[]): Sandbox {
  const uid = process.getuid?.();
  const gid = process.getgid?.();
  const unprotected = `not in force; the permissions of user ${uid} protect the machine's files`;
  if (process.platform !== 'linux') return { prefix: [], readOnly: false, description: unprotected };
  // An ordinary user becomes root in a user namespace that owns the mounts, and itself again in a nested one.
  const prefix =
    uid === 0
      ? ['unshare', '--mount', '--ipc', 'sh', script, ...folders, '--']
      : [
          ...['unshare', '--user', '--map-root-user', '--mount', '--ipc', 'sh', script, ...folders, '--'],
          ...['unshare', '--user', `--map-user=${uid}`, `--map-group=${gid}`],
        ];
  const [program = '', ...options] = prefix;
  const { status, stderr } = spawnSync(program, [...options, 'true'], { encoding: 'utf8' });
  if (status === 0) {
    return { prefix, readOnly: true, description: `everything is read-only but ${folders.join(' and ')}` };
  }
  if (uid !== 0) return { prefix: [], readOnly: false, description: unprotected };
  throw new Error(
    `As root the tests run in a mount namespace of their own, which cannot be made here: ${stderr}` +
      'Run them as an ordinary user, or allow it (docker run --cap-add SYS_ADMIN --security-opt apparmor=unconfined).',
  );
}

/** The mount namespace of a process; undefined when the process has ended or the system has none. */
export function namespaceOf(pid: number | string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/mnt`);
  } catch {
    return undefined;
  }
}

/** The processes in a mount namespace, with their command lines. */
export function processesIn(namespace: string): Map<number, string> {
  const found = new Map<number, string>();
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid) || namespaceOf(pid) !== namespace) continue;
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      // A zombie has no command line.
      if (command !== '') found.set(Number(pid), command);
    } catch {
      // The process has ended meanwhile.
    }
  }
  return found;
}

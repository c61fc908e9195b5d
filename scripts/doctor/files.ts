import { opendirSync, readFileSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { remoteFileSystems } from '../../filesystem/change-events.ts';
import { type Finding, fine, messageOf, note, wrong } from './finding.ts';

/** Maximum time for counting folders. */
const countMs = 5_000;

/** Checks that a service's folder exists, can be read and can be watched. */
export function checkRoot(service: string, root: string): Finding[] {
  try {
    opendirSync(root).closeSync();
  } catch (error) {
    const todo = `Make it readable for the user of ${service}, or set ${service.toUpperCase()}_ROOT or FILES_ROOT.`;
    return [wrong(`${service}: its folder ${root} cannot be read: ${messageOf(error)}`, todo)];
  }
  const found = [fine(`${service}: ${root} can be read`)];
  if (process.platform !== 'linux') return found;
  if (remoteFileSystems.has(statfsSync(root).type)) {
    const todo = 'Nothing better is possible there. MSERV2_SWEEP_MS sets the interval.';
    return [
      ...found,
      note(`${root} is on a file system that does not report changes: it is swept instead`, todo),
    ];
  }
  return [...found, ...checkWatches(root)];
}

function checkWatches(root: string): Finding[] {
  const limit = kernel('fs/inotify/max_user_watches');
  if (limit === undefined) return [];
  const { folders, whole } = countFolders(root, limit);
  const counted = `${whole ? '' : 'at least '}${folders} folders below ${root}`;
  if (folders < limit) return [fine(`${counted}, and ${limit} may be watched (fs.inotify.max_user_watches)`)];
  return [
    note(
      `${counted}, but only ${limit} may be watched (fs.inotify.max_user_watches): the others are swept`,
      `sudo sysctl -w fs.inotify.max_user_watches=${Math.max(524_288, 2 * folders)}   (in /etc/sysctl.d to keep it)`,
    ),
  ];
}

function kernel(name: string): number | undefined {
  try {
    return Number(readFileSync(join('/proc/sys', name), 'utf8'));
  } catch {
    return undefined;
  }
}

/** Counts folders up to `most`, for a few seconds. An unreadable folder counts as empty. */
function countFolders(root: string, most: number): { readonly folders: number; readonly whole: boolean } {
  const until = performance.now() + countMs;
  const pending = [Buffer.from(root)];
  let folders = 0;
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    folders += 1;
    if (folders >= most || performance.now() > until) return { folders, whole: false };
    for (const name of subfolders(folder)) pending.push(Buffer.concat([folder, Buffer.from('/'), name]));
  }
  return { folders, whole: true };
}

function subfolders(folder: Buffer): Buffer[] {
  try {
    const entries = opendirSync(folder, { encoding: 'buffer' as BufferEncoding });
    const names: Buffer[] = [];
    for (let entry = entries.readSync(); entry !== null; entry = entries.readSync()) {
      if (entry.isDirectory()) names.push(entry.name as unknown as Buffer);
    }
    entries.closeSync();
    return names;
  } catch {
    return [];
  }
}

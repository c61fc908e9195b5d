import { statfsSync } from 'node:fs';
import { toPath } from './byte-string.ts';
import type { Folder } from './folder.ts';
import { itself } from './watches.ts';

/** File systems that other machines or the kernel change without an inotify event here, by `f_type` of statfs(2). */
export const remoteFileSystems: ReadonlySet<number> = new Set([
  0x6969, // NFS
  0x517b, // SMB
  0xff534d42, // CIFS
  0xfe534d42, // SMB2
  0x65735546, // FUSE
  0x01021997, // 9p
  0x73757245, // Coda
  0x5346414f, // AFS
  0x6b414653, // the kernel's own AFS
  0x00c36400, // Ceph
  0x7461636f, // OCFS2
  0x01161970, // GFS2
  0x0bd00bd0, // Lustre
  0x47504653, // GPFS
  0x19830326, // BeeGFS
  0x786f4256, // VirtualBox shared folders
  0xbacbacbc, // VMware shared folders
  0x564c, // NCP
  0x9fa0, // proc: changes without events
  0x62656572, // sysfs
]);

/** Returns whether a watch on this folder reports every change in it. Throws system errors. */
export function tellsChanges(folder: Folder): boolean {
  return (
    process.platform !== 'linux' || !remoteFileSystems.has(statfsSync(toPath(folder.addressOf(itself))).type)
  );
}

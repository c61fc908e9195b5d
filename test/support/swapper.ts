import { renameSync, symlinkSync, unlinkSync } from 'node:fs';
import { workerData } from 'node:worker_threads';

/** A thread that replaces a folder by a link to another place and back, until it is terminated. */
const { folder, outside } = workerData as { folder: string; outside: string };
const aside = `${folder}-aside`;
const link = `${folder}-link`;

for (;;) {
  renameSync(folder, aside);
  symlinkSync(outside, link);
  renameSync(link, folder);
  unlinkSync(folder);
  renameSync(aside, folder);
}

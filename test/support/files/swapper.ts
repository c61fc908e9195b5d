import { renameSync, symlinkSync } from 'node:fs';
import { workerData } from 'node:worker_threads';

/** Thread that replaces a folder by a link to another place and back, until it is terminated. */
const { folder, outside } = workerData as { folder: string; outside: string };
const aside = `${folder}-aside`;
const link = `${folder}-link`;

symlinkSync(outside, link);
for (;;) {
  renameSync(folder, aside);
  renameSync(link, folder);
  renameSync(folder, link);
  renameSync(aside, folder);
}

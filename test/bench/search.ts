/**
 * What searching and listing take, by real processes and over HTTP, beside Debian's fdfind, plocate, find and nginx:
 * `npm run bench:search -- [options]`
 *
 *   --files 1000000         size of the tree, which is made once and kept; a fiftieth of it are folders
 *   --tree DIR              where it is; default below the system's folder for temporary files
 *   --phases build,restart  only these, of: build, restart, queries, listing; what the others measured before stays
 *   --json FILE             where results are kept; default data/bench-search.json
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from './search/build.ts';
import { listing } from './search/listing.ts';
import { requirePeers, timePeer } from './search/peers.ts';
import { queries } from './search/queries.ts';
import { restart } from './search/restart.ts';
import { markdown, type PhaseName, type Row, record } from './search/table.ts';
import { makeTree } from './search/tree.ts';

const phases: Record<PhaseName, (tree: string, files: number) => Promise<Row[]>> = {
  build,
  restart,
  queries,
  listing,
};

const { values: options } = parseArgs({
  options: {
    files: { type: 'string', default: '1000000' },
    tree: { type: 'string' },
    phases: { type: 'string', default: Object.keys(phases).join(',') },
    json: { type: 'string', default: join('data', 'bench-search.json') },
  },
});
const files = Number(options.files);
const tree = options.tree ?? join(tmpdir(), `archivero-search-${files}`);
requirePeers();
makeTree(tree, files);
// What the system has forgotten of the tree is read from the disk once, and measured for nobody.
await timePeer('find', [tree, '-printf', '%s']);
for (const name of options.phases.split(',')) {
  const phase = phases[name as PhaseName];
  if (phase === undefined) throw new Error(`There is no phase ${name}`);
  const rows = await phase(tree, files);
  console.log(`\n${markdown(record(options.json, files, name as PhaseName, rows))}`);
}

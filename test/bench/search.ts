/**
 * Measures searching and listing over HTTP, beside Debian's fdfind, plocate, find and nginx:
 * `npm run bench:search -- [options]`
 *
 *   --files 1000000         files of the tree, which is created once and kept; one in fifty entries is a folder
 *   --tree DIR              folder of the tree; default: in the system's folder for temporary files
 *   --phases build,restart  runs only these, of: build, restart, queries, listing; results of the others are kept
 *   --json FILE             file of the results; default: data/bench-search.json
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from './search/build.ts';
import { listing } from './search/listing.ts';
import { requirePeers, timePeer } from './search/peers.ts';
import { queries } from './search/queries.ts';
import { restart } from './search/restart.ts';
import { type PhaseName, record, resultsTable, type TableRow } from './search/table.ts';
import { makeTree } from './search/tree.ts';

const phases: Record<PhaseName, (tree: string, files: number) => Promise<TableRow[]>> = {
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
// One unmeasured run reads the tree into the page cache.
await timePeer('find', [tree, '-printf', '%s']);
for (const name of options.phases.split(',')) {
  const phase = phases[name as PhaseName];
  if (phase === undefined) throw new Error(`Unknown phase ${name}`);
  const rows = await phase(tree, files);
  console.log(`\n${resultsTable(record(options.json, files, name as PhaseName, rows))}`);
}

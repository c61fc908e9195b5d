import { setTimeout as delay } from 'node:timers/promises';
import { TemporaryFolder } from '../../support/files/temporary-folder.ts';
import { setUp } from '../../support/processes/set-up.ts';
import { type Page, searchPath, TimedClient } from './client.ts';
import { millis, seconds, type TableRow } from './table.ts';
import { entriesBelow } from './tree.ts';

/** Measures a second start of mserv2 over an unchanged tree, over HTTP through a gateway that keeps running. */
export async function restart(tree: string, files: number): Promise<TableRow[]> {
  using data = new TemporaryFolder();
  const env = { FILES_ROOT: tree, MSERV2_SNAPSHOT: data.join('snapshot') };
  await using stack = await setUp({ env, running: ['mserv2', 'gateway'] });
  using client = new TimedClient(stack.url);
  await stack.processes.get('mserv2')?.waitFor(({ estado }) => estado === 'listo');
  await stack.end('mserv2', 'SIGTERM');

  const began = performance.now();
  const starting = stack.start('mserv2');
  let first: { readonly ms: number; readonly took: number; readonly page: Page } | undefined;
  while (first === undefined) {
    const { ms: took, status, body } = await client.timed(searchPath({ limite: '100', nombre: 'informe' }));
    const ms = performance.now() - began;
    if (status === 200) first = { ms, took, page: JSON.parse(body.toString()) as Page };
    else await delay(20);
  }
  const proc = await starting;
  // No request is sent meanwhile: ten searches a second with 100,000 hits each took a third of the processor time.
  const ready = await proc.waitFor(({ estado }) => estado === 'listo');
  const listo = performance.now() - began;
  const { indice } = await client.page({ nombre: 'informe' });
  if (indice.estado !== 'listo' || ready['entries'] !== entriesBelow(files))
    throw new Error('Entries were missing');
  const { page, ms, took } = first;
  return [
    {
      what: 'restart from a snapshot: first answer',
      must: '≤ 1 s, `verificando`',
      measured: `${seconds(ms)} after the start, in ${millis(took)}: \`${page.indice.estado}\`, total ${page.total}`,
      holds: ms <= 1000 && page.indice.estado === 'verificando' && page.total > 0,
      numbers: { first: ms, took },
    },
    {
      what: 'restart from a snapshot: `listo`',
      must: '≤ 4 s',
      measured: seconds(listo),
      holds: listo <= 4000,
      numbers: { listo },
    },
  ];
}

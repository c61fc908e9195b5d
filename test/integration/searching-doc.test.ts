import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { setUp } from '../support/processes/set-up.ts';

const at = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** Reads the example rows of docs/searching.md: a query and the names that it finds. */
function examples(): { readonly query: string; readonly names: readonly string[] }[] {
  const lines = readFileSync(at('docs/searching.md'), 'utf8').split('\n');
  return lines.flatMap((line) => {
    const [, query, found] = /^\| `(.+?)` \|(.*)\|$/.exec(line) ?? [];
    if (query === undefined || found === undefined) return [];
    return [{ query, names: [...found.matchAll(/`(.+?)`/g)].map(([, name = '']) => name) }];
  });
}

describe('docs/searching.md', () => {
  it('shows the names that each example finds', async () => {
    await using it = await setUp({
      env: { FILES_ROOT: at('examples/archivos') },
      running: ['mserv2', 'gateway'],
    });
    await it.processes.get('mserv2')?.waitFor(({ estado }) => estado === 'listo');
    expect(examples().length).to.be.greaterThan(20);
    const shown = examples();
    const found: typeof shown = [];
    for (const { query } of shown) {
      // The page shows values unencoded; they are encoded for the URL here.
      const parameters = query.split('&').map((part) => {
        const [name = '', ...value] = part.split('=');
        return `${name}=${encodeURIComponent(value.join('='))}`;
      });
      const answer = await it.get(`/buscar_archivos?${parameters.join('&')}&formato=nombres`);
      expect(answer.status, query).to.equal(200);
      found.push({ query, names: (await answer.json()) as string[] });
    }
    expect(found).to.deep.equal(shown);
  });
});

import { execFile } from 'node:child_process';
import { symlinkSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { TemporaryFolder } from '../support/files/temporary-folder.ts';
import { accepted } from '../support/ledger/accepted.ts';
import { type SetUp, setUp } from '../support/processes/set-up.ts';

const run = promisify(execFile);
const packages = new URL('../../node_modules/', import.meta.url);
const node = (...args: readonly string[]) => run(process.execPath, args);
const bin = (path: string): string => new URL(path, packages).pathname;

/** A program that compiles only if the types are known: `unknown` and `never` are refused. */
const typed = `
import type { components, operations } from './types.ts';
import * as client from './client.ts';

type Known<T> = unknown extends T ? never : T;
type Json<O extends keyof operations, S extends keyof operations[O]['responses']> =
  operations[O]['responses'][S] extends { content: { 'application/json': infer Body } } ? Known<Body> : never;

export const names = (answer: Json<'listar_archivos', 200>): string[] =>
  'archivos' in answer ? answer.archivos.map(({ nombre }) => nombre) : answer;
export const stored = (answer: Json<'ver_respuesta', 200>): string[] => names(answer);
export const retried = (answer: Json<'reintentar_solicitud', 200>): string[] => names(answer);
export const link = (answer: Json<'ver_respuesta', 202>): string => answer.enlaces.respuesta;
export const meaning = (problem: components['schemas']['Problema']): string => problem.title;

type Answer = Awaited<ReturnType<typeof client.verRespuesta>>;
export const fetched = (answer: Known<Extract<Answer, { status: 200 }>['data']>): string[] => stored(answer);
`;

describe('Clients that are generated from /openapi.json', () => {
  let archivero: SetUp;
  let folder: TemporaryFolder;
  before(async () => {
    archivero = await setUp({ running: ['mserv1', 'gateway'] });
    writeFileSync(`${archivero.root}/uno.txt`, '1');
    folder = new TemporaryFolder();
    symlinkSync(packages.pathname, folder.join('node_modules'));
    writeFileSync(folder.join('openapi.json'), await (await archivero.get('/openapi.json')).text());
    const hook = new URL('../support/clients/typescript-5.ts', import.meta.url).href;
    await Promise.all([
      node(
        ...['--import', hook, bin('openapi-typescript/bin/cli.js')],
        ...[folder.join('openapi.json'), '-o', folder.join('types.ts')],
      ),
      node(bin('oazapfts/dist/cli.js'), folder.join('openapi.json'), folder.join('client.ts')),
    ]);
  });
  after(async () => {
    folder[Symbol.dispose]();
    await archivero[Symbol.asyncDispose]();
  });

  it('have a type for each answer, by openapi-typescript and by oazapfts', async () => {
    writeFileSync(folder.join('typed.ts'), typed);
    const compilerOptions = {
      ...{ strict: true, noEmit: true, skipLibCheck: true, allowImportingTsExtensions: true },
      ...{ target: 'esnext', module: 'nodenext', lib: ['esnext', 'dom', 'dom.iterable'], types: [] },
    };
    const tsconfig = { compilerOptions, files: ['typed.ts'] };
    writeFileSync(folder.join('tsconfig.json'), JSON.stringify(tsconfig));
    const compiled = await node(bin('typescript/bin/tsc'), '-p', folder.path).catch(
      (error: { stdout: string }) => error,
    );
    expect(compiled.stdout).to.equal('');
  });

  it('have one function for each operation, named by its operationId', async () => {
    const { defaults, ...client } = await import(folder.join('client.ts'));
    defaults.baseUrl = archivero.url;
    const listed = await client.listarArchivos({ limite: 1 });
    expect(listed.status).to.equal(200);
    expect(listed.data.archivos[0].nombre).to.equal('uno.txt');
    const path = await accepted(archivero, '/listar_archivos', { prefer: 'respond-async' });
    const id = path.split('/').at(-2);
    const stored = await client.verRespuesta(id, { prefer: 'wait=10' });
    expect([stored.status, stored.data]).to.deep.equal([200, listed.data]);
    expect((await client.verProblema('ruta-no-existe')).data).to.include({ status: 404 });
  });
});

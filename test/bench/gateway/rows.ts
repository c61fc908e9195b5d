import type { Job } from '../peers/grpc-client.ts';
import { type Sample, wrk } from './load.ts';
import { bearer, listingUrl, type Servers } from './servers.ts';
import { folderPath, foldersOf, type Size } from './tree.ts';

/** Size of the folders and number of connections of a measurement. */
export interface Cell {
  readonly size: Size;
  readonly connections: number;
}

/** A measured program. `open` starts it; the function returned checks its answer and loads it. */
export interface Row {
  readonly key: string;
  readonly name: string;
  /** Debian packages, each with a file that shows that it is installed. */
  readonly needs: Readonly<Record<string, string>>;
  /** Selects the cells worth measuring. Default: all. */
  readonly cells?: (cell: Cell) => boolean;
  open(servers: Servers): Promise<(cell: Cell, seconds: number) => Promise<Sample>>;
}

interface HttpRow extends Pick<Row, 'key' | 'name' | 'needs' | 'cells'> {
  readonly server: (servers: Servers) => Promise<string>;
  readonly url: (address: string, size: Size, folder: number) => string;
  /** Whether each request is for another folder than the one before. */
  readonly many: boolean;
  /** Returns the number of entries in an answer. */
  readonly count: (answer: unknown) => number;
  /** Sends the ETag of an earlier answer, so that the answer is 304. */
  readonly conditional?: boolean;
  readonly authorization?: () => Promise<string>;
}

const wrkPackage = { wrk: '/usr/bin/wrk' };

function httpRow(row: HttpRow): Row {
  const { key, name, needs, server, url, many, count, conditional = false } = row;
  return {
    key,
    name,
    needs: { ...wrkPackage, ...needs },
    ...(row.cells && { cells: row.cells }),
    open: async (servers) => {
      const address = await server(servers);
      return async ({ size, connections }, seconds) => {
        const folders = many ? foldersOf[size] : 1;
        const urls = Array.from({ length: folders }, (_, folder) => url(address, size, folder));
        const authorization = await row.authorization?.();
        const etag = await verify(urls[0] ?? '', size, count, authorization);
        return wrk({ connections, seconds, urls, etag: conditional ? etag : undefined, authorization });
      };
    },
  };
}

/** Checks that a server's answer has all entries; returns its ETag. */
async function verify(
  url: string,
  size: Size,
  count: (answer: unknown) => number,
  authorization: string | undefined,
): Promise<string | undefined> {
  const response = await fetch(url, { headers: authorization === undefined ? {} : { authorization } });
  const found = count(await response.json());
  if (response.status !== 200 || found !== size) {
    throw new Error(`${url} answered ${response.status} with ${found} entries instead of ${size}`);
  }
  return response.headers.get('etag') ?? undefined;
}

const ofArray = (answer: unknown) => (answer as unknown[]).length;
const ofArchivos = (answer: unknown) => (answer as { archivos: unknown[] }).archivos.length;
const constantUrl = (address: string, size: Size) => `http://${address}/${size}`;
const nginxUrl = (address: string, size: Size, folder: number) =>
  `http://${address}/${folderPath(size, folder)}/`;
const go = {
  'golang-go': '/usr/bin/go',
  'golang-goprotobuf-dev': '/usr/bin/protoc-gen-go',
  'golang-github-grpc-ecosystem-grpc-gateway-dev':
    '/usr/share/gocode/src/github.com/grpc-ecosystem/grpc-gateway/runtime/mux.go',
  'protobuf-compiler': '/usr/bin/protoc',
};
const flask = {
  'python3-flask': '/usr/lib/python3/dist-packages/flask/app.py',
  'python3-grpcio': '/usr/lib/python3/dist-packages/grpc/__init__.py',
  'python3-protobuf': '/usr/lib/python3/dist-packages/google/protobuf/message.py',
};
/** A 304 has no body, so one size is enough. */
const onlySmall = ({ size }: Cell) => size === 20;

const grpcClient: Row = {
  key: 'grpc',
  name: 'bare grpc-js client, without HTTP',
  needs: {},
  open: async (servers) => {
    const run = await servers.client();
    return async ({ size, connections }, seconds) => {
      const folders = Array.from({ length: foldersOf[size] }, (_, folder) => folderPath(size, folder));
      const job: Job = { atOnce: connections, seconds, limite: 10_000, folders };
      return { perSecond: await run(job) };
    };
  },
};

/** Rows in the order of the table. */
export const rows: readonly Row[] = [
  httpRow({
    key: 'cached',
    name: 'Archivero, cached',
    needs: {},
    server: (servers) => servers.gateway('cached'),
    url: listingUrl,
    many: false,
    count: ofArchivos,
  }),
  httpRow({
    key: 'cached-304',
    name: 'Archivero, 304',
    needs: {},
    cells: onlySmall,
    server: (servers) => servers.gateway('cached'),
    url: listingUrl,
    many: false,
    count: ofArchivos,
    conditional: true,
  }),
  httpRow({
    key: 'cached-full',
    name: 'Archivero, cached, with tokens, limits, metrics and access log',
    needs: {},
    server: (servers) => servers.gateway('full'),
    url: listingUrl,
    many: false,
    count: ofArchivos,
    authorization: bearer,
  }),
  httpRow({
    key: 'uncached',
    name: 'Archivero, uncached',
    needs: {},
    server: (servers) => servers.gateway('uncached'),
    url: listingUrl,
    many: true,
    count: ofArchivos,
  }),
  httpRow({
    key: 'http',
    name: 'bare node:http, constant bytes',
    needs: {},
    server: (servers) => servers.constant('http'),
    url: constantUrl,
    many: false,
    count: ofArchivos,
  }),
  httpRow({
    key: 'koa',
    name: 'bare Koa, constant bytes',
    needs: {},
    server: (servers) => servers.constant('koa'),
    url: constantUrl,
    many: false,
    count: ofArchivos,
  }),
  httpRow({
    key: 'koa-304',
    name: 'bare Koa, 304',
    needs: {},
    cells: onlySmall,
    server: (servers) => servers.constant('koa'),
    url: constantUrl,
    many: false,
    count: ofArchivos,
    conditional: true,
  }),
  grpcClient,
  httpRow({
    key: 'nginx',
    name: 'nginx, autoindex_format json',
    needs: { nginx: '/usr/sbin/nginx' },
    server: (servers) => servers.nginx(),
    url: nginxUrl,
    many: true,
    count: ofArray,
  }),
  httpRow({
    key: 'go',
    name: 'Go grpc-gateway before our mserv1',
    needs: go,
    server: (servers) => servers.go(),
    url: listingUrl,
    many: true,
    count: ofArchivos,
  }),
  httpRow({
    key: 'flask',
    name: 'Flask and grpcio, development server',
    needs: flask,
    server: (servers) => servers.flask('flask'),
    url: listingUrl,
    many: true,
    count: ofArray,
  }),
  httpRow({
    key: 'gunicorn',
    name: 'Flask and grpcio, gunicorn',
    needs: { ...flask, gunicorn: '/usr/bin/gunicorn' },
    server: (servers) => servers.flask('gunicorn'),
    url: listingUrl,
    many: true,
    count: ofArray,
  }),
];

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const repository = fileURLToPath(new URL('..', import.meta.url));

/** What each room may import of ours, besides itself; DESIGN: the direction of imports. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  gateway: ['runtime', 'proto'],
  mserv1: ['runtime', 'filesystem', 'proto'],
  mserv2: ['runtime', 'filesystem', 'proto'],
  runtime: [],
  filesystem: [],
  proto: [],
  // They check and start the processes, by the processes' own configuration.
  scripts: ['runtime', 'gateway', 'mserv1', 'mserv2', 'filesystem'],
};

/**
 * The folders of a room as layers, from the top: a folder imports from lower layers only, types included. `.` stands for
 * the files of the room itself. Folders of one layer do not know each other.
 */
const layers: Readonly<Record<string, readonly (readonly string[])[]>> = {
  gateway: [
    ['.'],
    ['serve'],
    ['live', 'documents', 'admin'],
    ['solicitudes'],
    ['answers'],
    ['identity', 'colas'],
    ['operations'],
    ['limits'],
    ['http'],
    ['calls', 'metrics'],
  ],
  mserv2: [['.'], ['index-worker'], ['search'], ['crawl'], ['scan', 'index']],
  // Its own files are the ground floor.
  runtime: [['microservice'], ['grpc', 'amqp'], ['tracing', 'workers'], ['.']],
};

const sources = readdirSync(repository, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  .map((entry) => relative(repository, join(entry.parentPath, entry.name)))
  .filter((file) => !/(?:^|\/)(?:node_modules|\.git|data|coverage)\//.test(file));

const roomOf = (file: string): string => file.split(sep)[0] ?? '';
/** Its folder within the room: `serve` for `gateway/serve/routes.ts`. */
const folderOf = (file: string): string => file.split(sep).slice(1, -1)[0] ?? '.';
const textOf = (file: string): string => readFileSync(join(repository, file), 'utf8');

/** The files of ours that a file imports, static and dynamic, as paths of the repository. */
function importsOf(file: string): string[] {
  const specifiers = textOf(file).matchAll(/\b(?:from|import)\s*\(?\s*['"](\.[^'"]+)['"]/g);
  return [...specifiers].map(([, specifier = '']) =>
    relative(repository, resolve(repository, dirname(file), specifier)),
  );
}

/** Files on a circle of imports, or on a way from one circle to another: the rest is taken away from both ends. */
function inCircles(files: readonly string[]): readonly string[] {
  const imports = new Map(files.map((file) => [file, importsOf(file)]));
  for (;;) {
    const imported = new Set([...imports.values()].flat());
    const outside = [...imports.keys()].filter(
      (file) => !imported.has(file) || !imports.get(file)?.some((target) => imports.has(target)),
    );
    if (outside.length === 0) return [...imports.keys()];
    for (const file of outside) imports.delete(file);
  }
}

describe('The house', () => {
  it('has the rooms that are looked at here', () => {
    for (const room of Object.keys(mayImport)) {
      expect(sources.filter((file) => roomOf(file) === room)).not.to.deep.equal([], room);
    }
    expect(importsOf('mserv1/main.ts')).to.include.members([
      'filesystem/root.ts',
      'runtime/microservice/microservice.ts',
    ]);
  });

  for (const [room, allowed] of Object.entries(mayImport)) {
    it(`${room} imports ${allowed.length === 0 ? 'nothing else of ours' : `only ${allowed.join(', ')}`}`, () => {
      const wrong = sources
        .filter((file) => roomOf(file) === room)
        .flatMap((file) => importsOf(file).map((imported) => ({ file, imported })))
        .filter(({ imported }) => ![room, ...allowed].includes(roomOf(imported)))
        .map(({ file, imported }) => `${file} imports ${imported}`);
      expect(wrong).to.deep.equal([]);
    });
  }

  for (const [room, order] of Object.entries(layers)) {
    const levelOf = (file: string): number => order.findIndex((layer) => layer.includes(folderOf(file)));
    const inside = sources.filter((file) => roomOf(file) === room);

    it(`gives every folder of ${room} a layer`, () => {
      expect(new Set(inside.map(folderOf))).to.deep.equal(new Set(order.flat()));
    });

    it(`imports downwards only between the folders of ${room}`, () => {
      const wrong = inside.flatMap((file) =>
        importsOf(file)
          .filter((imported) => roomOf(imported) === room && folderOf(imported) !== folderOf(file))
          .filter((imported) => levelOf(imported) <= levelOf(file))
          .map((imported) => `${file} imports ${imported}`),
      );
      expect(wrong).to.deep.equal([]);
    });
  }

  it('has no circle of files, type imports included', () => {
    const rooms = ['gateway', 'mserv1', 'mserv2', 'runtime', 'filesystem'];
    const product = sources.filter((file) => rooms.includes(roomOf(file)));
    expect(inCircles(product)).to.deep.equal([]);
  });

  it('reads the environment only where configuration is read', () => {
    const readers = sources.filter((file) => /\bprocess\.env\b/.test(textOf(file)));
    const wrong = readers.filter(
      (file) => !/^(?:scripts|test)\/|\/config\.ts$|^gateway\/run\.ts$/.test(file),
    );
    expect(wrong).to.deep.equal([]);
  });

  it('documents every variable in .env.example', () => {
    const readers = sources.filter((file) =>
      /^(?:gateway|mserv\d|runtime)\/(?:.+-)?(?:config|log)\.ts$/.test(file),
    );
    const names = readers.flatMap((file) => [...textOf(file).matchAll(/^ +([A-Z][A-Z0-9_]+):/gm)]);
    const ofServices = [
      'HOST',
      'PORT',
      'GRPC',
      'ROOT',
      'URL',
      'TLS_CERT',
      'TLS_KEY',
      'TLS_CLIENT_CA',
    ].flatMap((end) => [`MSERV1_${end}`, `MSERV2_${end}`]);
    const documented = new Set(
      [...textOf('.env.example').matchAll(/^#?([A-Z][A-Z0-9_]+)=/gm)].map(([, name]) => name),
    );
    const wanted = [...names.map(([, name]) => name), ...ofServices, 'FILES_ROOT', 'ENV_FILE'];
    expect(names.length).to.be.greaterThan(10);
    expect(wanted.filter((name) => !documented.has(name))).to.deep.equal([]);
  });

  it('has no folder or file that is named for nothing in particular', () => {
    const nameless = /(?:^|\/)(?:utils?|common|shared|helpers?)(?:\/|\.ts$)/;
    expect(sources.filter((file) => nameless.test(file))).to.deep.equal([]);
  });
});

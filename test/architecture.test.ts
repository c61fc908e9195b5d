import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const repository = fileURLToPath(new URL('..', import.meta.url));

/** The folders that each top-level folder may import, besides itself. */
const allowedImports: Readonly<Record<string, readonly string[]>> = {
  gateway: ['runtime', 'proto'],
  mserv1: ['runtime', 'filesystem', 'proto'],
  mserv2: ['runtime', 'filesystem', 'proto'],
  runtime: ['proto/gen/grpc'],
  filesystem: [],
  proto: [],
  // The scripts check and start the processes with the processes' own configuration.
  scripts: ['runtime', 'gateway', 'mserv1', 'mserv2', 'filesystem'],
};

/**
 * The subfolders of a top-level folder as layers, from the top. A subfolder imports from lower layers only, types included;
 * subfolders of one layer do not import each other. `.` stands for the files directly in the top-level folder.
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
  // The files directly in runtime/ are the lowest layer.
  runtime: [['microservice'], ['grpc', 'amqp'], ['tracing', 'workers'], ['.']],
};

const sources = readdirSync(repository, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  .map((entry) => relative(repository, join(entry.parentPath, entry.name)))
  .filter((file) => !/(?:^|\/)(?:node_modules|\.git|data|coverage)\//.test(file));

const topFolderOf = (file: string): string => file.split(sep)[0] ?? '';
/** The subfolder of a file: `serve` for `gateway/serve/routes.ts`. */
const subfolderOf = (file: string): string => file.split(sep).slice(1, -1)[0] ?? '.';
const textOf = (file: string): string => readFileSync(join(repository, file), 'utf8');

/** The files of this repository that a file imports, statically or dynamically, as paths from its root. */
function importsOf(file: string): string[] {
  const specifiers = textOf(file).matchAll(/\b(?:from|import)\s*\(?\s*['"](\.[^'"]+)['"]/g);
  return [...specifiers].map(([, specifier = '']) =>
    relative(repository, resolve(repository, dirname(file), specifier)),
  );
}

/** Returns the files on an import cycle, or on a path between two: all others are removed from both ends. */
function filesOnCycles(files: readonly string[]): readonly string[] {
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

const productFolders = ['gateway', 'mserv1', 'mserv2', 'runtime', 'filesystem'];

describe('the source tree', () => {
  it('has files in every top-level folder that is checked here', () => {
    for (const folder of Object.keys(allowedImports)) {
      expect(sources.filter((file) => topFolderOf(file) === folder)).not.to.deep.equal([], folder);
    }
    expect(importsOf('mserv1/main.ts')).to.include.members([
      'filesystem/root.ts',
      'runtime/microservice/microservice.ts',
    ]);
  });

  for (const [folder, allowed] of Object.entries(allowedImports)) {
    it(`lets ${folder} import ${allowed.length === 0 ? 'no other folder' : `only ${allowed.join(', ')}`}`, () => {
      const wrong = sources
        .filter((file) => topFolderOf(file) === folder)
        .flatMap((file) => importsOf(file).map((imported) => ({ file, imported })))
        .filter(({ imported }) => ![folder, ...allowed].some((each) => imported.startsWith(each + sep)))
        .map(({ file, imported }) => `${file} imports ${imported}`);
      expect(wrong).to.deep.equal([]);
    });
  }

  for (const [folder, order] of Object.entries(layers)) {
    const levelOf = (file: string): number => order.findIndex((layer) => layer.includes(subfolderOf(file)));
    const files = sources.filter((file) => topFolderOf(file) === folder);

    it(`has a layer for every subfolder of ${folder}`, () => {
      expect(new Set(files.map(subfolderOf))).to.deep.equal(new Set(order.flat()));
    });

    it(`imports only downwards between the subfolders of ${folder}`, () => {
      const wrong = files.flatMap((file) =>
        importsOf(file)
          .filter(
            (imported) => topFolderOf(imported) === folder && subfolderOf(imported) !== subfolderOf(file),
          )
          .filter((imported) => levelOf(imported) <= levelOf(file))
          .map((imported) => `${file} imports ${imported}`),
      );
      expect(wrong).to.deep.equal([]);
    });
  }

  it('imports only production packages where users run it, so that npm ci --omit=dev is enough', () => {
    const { dependencies } = JSON.parse(textOf('package.json'));
    const run = sources.filter((file) =>
      /^(?:gateway|mserv\d|runtime|filesystem|proto|scripts|examples)\//.test(file),
    );
    const specifier =
      /^(?:import|export)(?! type\b)(?:[^;'"]* from)? '([^.'][^']*)'|\bimport\('([^.'][^']*)'\)/gm;
    const imports = run.flatMap((file) =>
      [...textOf(file).matchAll(specifier)].map(([, fixed, dynamic]) => ({
        file,
        name: /^(?:@[^/]+\/)?[^/]+/.exec(fixed ?? dynamic ?? '')?.[0] ?? '',
      })),
    );
    const wrong = imports.filter(({ name }) => !name.startsWith('node:') && dependencies[name] === undefined);
    expect(imports.length).to.be.above(100);
    expect(wrong.map(({ file, name }) => `${file}: ${name}`)).to.deep.equal([]);
  });

  it('has no import cycle between product files, type imports included', () => {
    const product = sources.filter((file) => productFolders.includes(topFolderOf(file)));
    expect(filesOnCycles(product)).to.deep.equal([]);
  });

  it('exports no name from two files, except for one role in parallel folders', () => {
    const parallel = [/^mserv\d\//, /^gateway\/solicitudes\/(?:sqlite|postgres)\//];
    const files = new Map<string, Set<string>>();
    for (const file of sources.filter((each) => productFolders.includes(topFolderOf(each)))) {
      const declared = textOf(file).matchAll(
        /^export (?:abstract |async )*(?:const|function\*?|class|interface|type) (\w+)/gm,
      );
      for (const [, name = ''] of declared) files.set(name, (files.get(name) ?? new Set()).add(file));
    }
    const wrong = [...files].filter(
      ([, where]) =>
        where.size > 1 && !parallel.some((pattern) => [...where].every((file) => pattern.test(file))),
    );
    expect(files.size).to.be.above(100);
    expect(wrong.map(([name, where]) => `${name}: ${[...where].join(', ')}`)).to.deep.equal([]);
  });

  it('has every file that docs/architecture.md draws', () => {
    const drawings =
      textOf('docs/architecture.md')
        .match(/^```mermaid$.+?^```$/gms)
        ?.join('') ?? '';
    const drawn = [...drawings.matchAll(/[[{]((?:[a-z0-9-]+\/)+[a-z0-9-]+)/g)].map(
      ([, path]) => `${path}.ts`,
    );
    expect(drawn.length).to.be.greaterThan(10);
    const missing = drawn.filter((file) => !sources.includes(file) && !sources.includes(`gateway/${file}`));
    expect(missing).to.deep.equal([]);
  });

  it('has every file that a document names with its folder', () => {
    const documents = readdirSync(join(repository, 'docs'), { recursive: true })
      .map((name) => join('docs', String(name)))
      .filter((name) => name.endsWith('.md'));
    const named = [...documents, 'README.md', 'CONTRIBUTING.md'].flatMap((document) =>
      [...textOf(document).matchAll(/`((?:[a-z0-9-]+\/)+[a-z0-9.-]+\.(?:ts|mjs))`/g)].map(
        ([, file = '']) => ({ document, file }),
      ),
    );
    expect(named.length).to.be.greaterThan(10);
    const missing = named.filter(
      ({ file }) => !existsSync(join(repository, file)) && !existsSync(join(repository, 'gateway', file)),
    );
    expect(missing.map(({ document, file }) => `${document} names ${file}`)).to.deep.equal([]);
  });

  it('reads process.env in no product file but config.ts and run.ts', () => {
    const readers = sources.filter((file) => /\bprocess\.env\b/.test(textOf(file)));
    const wrong = readers.filter(
      (file) => !/^(?:scripts|test)\/|\/config\.ts$|^gateway\/run\.ts$/.test(file),
    );
    expect(wrong).to.deep.equal([]);
  });

  it('documents every environment variable in .env.example', () => {
    const readers = sources.filter((file) =>
      /^(?:gateway|mserv\d|runtime)\/(?:.+-)?(?:config|log)\.ts$/.test(file),
    );
    const names = readers.flatMap((file) => [...textOf(file).matchAll(/^ +([A-Z][A-Z0-9_]+):/gm)]);
    const serviceNames = [
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
    const wanted = [...names.map(([, name]) => name), ...serviceNames, 'FILES_ROOT', 'ENV_FILE'];
    expect(names.length).to.be.greaterThan(10);
    expect(wanted.filter((name) => !documented.has(name))).to.deep.equal([]);
  });

  it('has no folder or file named util, common, shared or helper', () => {
    const vague = /(?:^|\/)(?:utils?|common|shared|helpers?)(?:\/|\.ts$)/;
    expect(sources.filter((file) => vague.test(file))).to.deep.equal([]);
  });
});

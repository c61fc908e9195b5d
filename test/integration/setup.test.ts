import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { TemporaryFolder } from '../support/files/temporary-folder.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  /** The Node that the code needs. Default: 18.0, which every machine has; `99.0`: no machine has it. */
  readonly needsNode?: string;
}

/** The packages of the registry. The install script of `node` brings the program, as the real one does. */
const published: readonly { readonly name: string; readonly version: string }[] = [
  { name: 'runs', version: '1.0.0' },
  { name: 'runs', version: '2.0.0' },
  { name: 'tests', version: '1.0.0' },
  Object.assign(
    { name: 'node', version: '1.0.0' },
    {
      bin: { node: 'bin/node' },
      scripts: {
        preinstall: `node -e "fs.mkdirSync('bin'); fs.writeFileSync('bin/node', '#!/bin/sh', { mode: 0o755 })"`,
      },
    },
  ),
];

/** A repository with scripts/setup.mjs, and a registry of small packages, from which the real npm installs. */
class SmallRepository implements AsyncDisposable {
  readonly #folder = new TemporaryFolder();
  readonly path = this.#folder.path;
  readonly #registry = createServer((request, answer) => {
    const [name = '', tarball] = (request.url ?? '').slice(1).split('/-/');
    if (tarball !== undefined) {
      answer.end(readFileSync(this.#folder.join(tarball)));
      return;
    }
    const own = published.filter((each) => each.name === name);
    const versions = Object.fromEntries(own.map((each) => [each.version, this.#manifest(each)]));
    answer.end(JSON.stringify({ name, 'dist-tags': { latest: own.at(-1)?.version }, versions }));
  });
  #url = '';

  /** Starts the registry. */
  static async open(): Promise<SmallRepository> {
    const small = new SmallRepository();
    for (const folder of ['scripts', 'runtime']) {
      cpSync(join(repository, folder), join(small.path, folder), { recursive: true });
    }
    for (const each of published) await small.#pack(each);
    small.#registry.listen(0, '127.0.0.1');
    await once(small.#registry, 'listening');
    small.#url = `http://127.0.0.1:${(small.#registry.address() as AddressInfo).port}`;
    return small;
  }

  /** Writes package.json and its lock file. */
  async want({ dependencies, devDependencies, needsNode = '18.0' }: Manifest): Promise<void> {
    using elsewhere = new TemporaryFolder();
    const manifest = {
      engines: { node: `>=${needsNode}` },
      dependencies,
      devDependencies,
      allowScripts: { node: true },
    };
    writeFileSync(elsewhere.join('package.json'), JSON.stringify(manifest));
    await this.#run(elsewhere.path, 'npm', 'install', '--package-lock-only', '--loglevel=error');
    for (const file of ['package.json', 'package-lock.json'])
      cpSync(elsewhere.join(file), join(this.path, file));
  }

  /** Runs scripts/setup.mjs and returns what it prints. */
  setup(...options: string[]): Promise<string> {
    return this.#run(this.path, process.execPath, 'scripts/setup.mjs', ...options);
  }

  /** The completely installed packages, with their versions. */
  installed(): Record<string, string> {
    const names = ['runs', 'tests', 'node'].filter((name) => existsSync(this.packageFile(name, 'index.js')));
    const versionOf = (name: string) =>
      JSON.parse(readFileSync(this.packageFile(name, 'package.json'), 'utf8')).version;
    return Object.fromEntries(names.map((name) => [name, versionOf(name)]));
  }

  packageFile(name: string, file: string): string {
    return this.#folder.join('node_modules', name, file);
  }

  /** Leaves a package behind as npm does when it is killed while it writes the package. */
  writeHalf(name: string): void {
    mkdirSync(this.packageFile(name, ''), { recursive: true });
    writeFileSync(this.packageFile(name, 'package.json'), JSON.stringify({ name, version: '1.0.0' }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#registry.close();
    this.#registry.closeAllConnections();
    this.#folder[Symbol.dispose]();
  }

  async #pack(manifest: { readonly name: string; readonly version: string }): Promise<void> {
    const source = this.#folder.join('source', 'package');
    mkdirSync(source, { recursive: true });
    writeFileSync(join(source, 'package.json'), JSON.stringify(manifest));
    writeFileSync(join(source, 'index.js'), '');
    await run('tar', ['-czf', this.#folder.join(tarballOf(manifest)), '-C', join(source, '..'), 'package']);
  }

  #manifest(each: { readonly name: string; readonly version: string }) {
    return {
      ...each,
      hasInstallScript: 'scripts' in each,
      dist: { tarball: `${this.#url}/${each.name}/-/${tarballOf(each)}` },
    };
  }

  async #run(cwd: string, program: string, ...args: string[]): Promise<string> {
    const env = {
      PATH: process.env['PATH'],
      HOME: this.path,
      TMPDIR: process.env['TMPDIR'],
      npm_config_registry: this.#url,
      npm_config_cache: this.#folder.join('npm-cache'),
      npm_config_audit: 'false',
      npm_config_update_notifier: 'false',
      // npm keeps compiled code in the folder for temporary files.
      NODE_DISABLE_COMPILE_CACHE: '1',
    };
    const { stdout, stderr } = await run(program, args, { cwd, env });
    return stdout + stderr;
  }
}

const tarballOf = ({ name, version }: { readonly name: string; readonly version: string }) =>
  `${name}-${version}.tgz`;

const manifest = {
  dependencies: { runs: '1.0.0' },
  devDependencies: { tests: '1.0.0', node: '1.0.0' },
};

describe('scripts/setup.mjs', () => {
  it('installs the production packages, adds those of development when asked, and then removes none', async () => {
    await using small = await SmallRepository.open();
    await small.want(manifest);
    expect(await small.setup()).to.include('Installing packages');
    expect(small.installed()).to.deep.equal({ runs: '1.0.0' });
    expect(await small.setup()).to.equal('');

    await small.setup('--development');
    expect(small.installed()).to.deep.equal({ runs: '1.0.0', tests: '1.0.0', node: '1.0.0' });
    expect(await small.setup()).to.equal('');

    await small.want({ ...manifest, dependencies: { runs: '2.0.0' } });
    await small.setup();
    expect(small.installed()).to.deep.equal({ runs: '2.0.0', tests: '1.0.0', node: '1.0.0' });
  });

  it("installs the package node with the production packages when this machine's Node is too old", async () => {
    await using small = await SmallRepository.open();
    await small.want({ ...manifest, needsNode: '99.0' });
    await small.setup();
    expect(small.installed()).to.deep.equal({ runs: '1.0.0', node: '1.0.0' });
    expect(await small.setup()).to.equal('');

    // As after `npm ci --ignore-scripts`.
    rmSync(small.packageFile('node', 'bin'), { recursive: true });
    await small.setup();
    expect(existsSync(small.packageFile('node', 'bin/node'))).to.equal(true);
  });

  it('repairs an install that was interrupted, with and without an earlier one', async () => {
    await using small = await SmallRepository.open();
    await small.want(manifest);
    small.writeHalf('runs');
    await small.setup();
    expect(small.installed()).to.deep.equal({ runs: '1.0.0' });

    small.writeHalf('tests');
    const { pid } = spawnSync(process.execPath, ['--version']);
    writeFileSync(join(small.path, 'data', 'setup.lock'), String(pid));
    await small.setup('--development');
    expect(small.installed()).to.deep.equal({ runs: '1.0.0', tests: '1.0.0', node: '1.0.0' });
  });
});

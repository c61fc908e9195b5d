import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { expect } from 'chai';
import fc from 'fast-check';
import { comparedJail, heldJail, type Jail } from '../../filesystem/jail.ts';
import { Kind } from '../../filesystem/kind.ts';
import { openRoot } from '../../filesystem/root.ts';
import { createHandlers as listingHandlers } from '../../mserv1/handlers.ts';
import { BuscarArchivosRequest } from '../../proto/gen/archivos/v1/busqueda.ts';
import type { Entrada } from '../../proto/gen/archivos/v1/entrada.ts';
import { ListarArchivosRequest } from '../../proto/gen/archivos/v1/listado.ts';
import { StatusError } from '../../runtime/errors.ts';
import { TemporaryFolder } from '../support/files/temporary-folder.ts';
import { SearchedFolder } from '../support/index/searched.ts';
import { callContext } from '../support/services/call-context.ts';
import { statusOf } from '../support/services/status-of.ts';

const linux = process.platform === 'linux';
const jails: [string, Jail][] = [
  ...(linux ? [['held by descriptors', heldJail] as [string, Jail]] : []),
  ['compared by real paths', comparedJail],
];

/** Creates the root `raíz` with `dentro/sub`. Beside it, `raíz-2` and `fuera` hold files named `secreto`. */
function plantedTree(): TemporaryFolder {
  const folder = new TemporaryFolder();
  mkdirSync(folder.join('raíz', 'dentro', 'sub'), { recursive: true });
  writeFileSync(folder.join('raíz', 'dentro', 'sub', 'visible'), '');
  for (const outside of ['fuera', 'raíz-2']) {
    mkdirSync(folder.join(outside, 'sub'), { recursive: true });
    writeFileSync(folder.join(outside, 'secreto'), '');
    writeFileSync(folder.join(outside, 'sub', 'secreto'), '');
  }
  return folder;
}

function handlersOf(root: string, jail: Jail) {
  const list = listingHandlers(openRoot(root, jail));
  // The index is built at the first search.
  let searched: SearchedFolder | undefined;
  return {
    list: async (ruta: string | Buffer, orden = 0): Promise<Entrada[]> => {
      const path = typeof ruta === 'string' ? { ruta } : { rutaBytes: ruta };
      const request = ListarArchivosRequest.fromPartial({ ...path, ocultos: true, orden: orden as 0 });
      return (await list.listarArchivos(request, callContext())).archivos;
    },
    search: async (ruta: string | Buffer, nombre = ''): Promise<Entrada[]> => {
      const path = typeof ruta === 'string' ? { ruta } : { rutaBytes: ruta };
      const request = BuscarArchivosRequest.fromPartial({ ...path, nombre, ocultos: true });
      searched ??= new SearchedFolder(root, jail, 10);
      const { archivos } = await searched.search(request, {
        signal: callContext().signal,
        whenReady: false,
      });
      return archivos.flatMap(({ entrada }) => entrada ?? []);
    },
    [Symbol.asyncDispose]: async () => searched?.[Symbol.asyncDispose](),
  };
}

for (const [kind, jail] of jails) {
  describe(`The root jail, ${kind}`, () => {
    const refused = [
      '..',
      '../fuera',
      'dentro/..',
      'dentro/../../fuera',
      'dentro/sub/../../../fuera',
      '../raíz-2',
      '../raíz/dentro',
      '/',
      '/etc',
      '//etc',
      '/dentro',
      './../fuera',
      'dentro/./..',
      '\0',
      'dentro\0',
      'dentro/\0/x',
      'dentro\0/../..',
    ];
    for (const path of refused) {
      it(`refuses ${JSON.stringify(path)} as text and as bytes`, async () => {
        using folder = plantedTree();
        await using handlers = handlersOf(folder.join('raíz'), jail);
        const { list, search } = handlers;
        for (const ruta of [path, Buffer.from(path)]) {
          expect(await statusOf(list(ruta))).to.equal('INVALID_ARGUMENT ruta-no-valida');
          expect(await statusOf(search(ruta))).to.equal('INVALID_ARGUMENT ruta-no-valida');
        }
      });
    }

    it('treats names that only resemble a path out of the root as names', async () => {
      using folder = plantedTree();
      const { list } = handlersOf(folder.join('raíz'), jail);
      const names = ['%2e%2e', '...', '..%2ffuera', '..\\fuera', '․․', '%00', '~', '..\u0301', 'C:'];
      for (const name of names) expect(await statusOf(list(name)), name).to.equal('NOT_FOUND ruta-no-existe');
      // An overlong UTF-8 slash is three bytes of a name.
      const overlong = Buffer.from([0x2e, 0x2e, 0xe0, 0x80, 0xaf, 0x66]);
      expect(await statusOf(list(overlong))).to.equal('NOT_FOUND ruta-no-existe');
    });

    it('lists a folder under every spelling of its path, with one path in the answer', async () => {
      using folder = plantedTree();
      const { list } = handlersOf(folder.join('raíz'), jail);
      for (const ruta of ['dentro/sub', 'dentro/sub/', 'dentro//sub', './dentro/./sub/.']) {
        expect((await list(ruta)).map((entry) => entry.ruta)).to.deep.equal(['dentro/sub/visible']);
      }
      expect((await list('.')).map((entry) => entry.ruta)).to.deep.equal(['dentro']);
    });

    it('lists links and never follows them, wherever they point', async () => {
      using folder = plantedTree();
      const root = folder.join('raíz');
      const targets = [
        '../fuera',
        folder.join('fuera'),
        'dentro',
        '.',
        '..',
        '/',
        '../raíz-2',
        'nada',
        'lazo',
        '../raíz',
      ];
      for (const [index, target] of targets.entries()) {
        const name = target === 'lazo' ? 'lazo' : `enlace${index}`;
        symlinkSync(target, `${root}/${name}`);
        await using handlers = handlersOf(root, jail);
        const { list, search } = handlers;
        for (const ruta of [name, `${name}/`, `${name}/sub`, `${name}/.`]) {
          expect(await statusOf(list(ruta)), ruta).to.equal('INVALID_ARGUMENT no-es-carpeta');
          expect(await statusOf(search(ruta)), ruta).to.equal('INVALID_ARGUMENT no-es-carpeta');
        }
      }
      await using handlers = handlersOf(root, jail);
      const { list, search } = handlers;
      expect(await list('')).to.have.lengthOf(targets.length + 1);
      expect((await list('')).filter((entry) => entry.tipo === 3)).to.have.lengthOf(targets.length);
      expect(await search('', 'secreto')).to.deep.equal([]);
      expect(await search('', 'visible')).to.have.lengthOf(1);
    });

    it('does not hang on a FIFO, a socket or a device', async () => {
      using folder = plantedTree();
      execFileSync('mkfifo', [folder.join('raíz', 'fifo')]);
      await using handlers = handlersOf(folder.join('raíz'), jail);
      const { list, search } = handlers;
      for (const ruta of ['fifo', 'fifo/x']) {
        expect(await statusOf(list(ruta))).to.equal('INVALID_ARGUMENT no-es-carpeta');
        expect(await statusOf(search(ruta))).to.equal('INVALID_ARGUMENT no-es-carpeta');
      }
      expect((await list('', 3)).map((entry) => entry.tipo)).to.deep.equal([2, 4]);
      if (linux) {
        await using devices = handlersOf('/dev', jail);
        expect((await devices.list('')).find((entry) => entry.nombre === 'null')?.tipo).to.equal(4);
        expect(await statusOf(devices.list('null'))).to.equal('INVALID_ARGUMENT no-es-carpeta');
      }
    });

    it('shows nothing outside the root and no path of the machine, for any input', async () => {
      using folder = plantedTree();
      const root = folder.join('raíz');
      symlinkSync('../fuera', `${root}/enlace`);
      await using handlers = handlersOf(root, jail);
      const { list, search } = handlers;
      const part = fc.oneof(
        fc.constantFrom(
          '..',
          '.',
          '',
          'dentro',
          'sub',
          'enlace',
          'fuera',
          'raíz-2',
          'secreto',
          'visible',
          '%2e%2e',
          '\\',
        ),
        fc.string({ unit: 'binary', maxLength: 4 }),
      );
      const path = fc.array(part, { maxLength: 6 }).map((parts) => parts.join('/'));
      const bytes = fc.oneof(
        path,
        path.map((text) => Buffer.from(text)),
        fc.uint8Array({ maxLength: 8 }).map((raw) => Buffer.from(raw)),
      );
      await fc.assert(
        fc.asyncProperty(bytes, async (ruta) => {
          for (const ask of [list, search]) {
            try {
              for (const entry of await ask(ruta)) {
                expect(entry.nombre).to.not.equal('secreto');
                expect(entry.ruta).to.match(/^(dentro|enlace)/);
              }
            } catch (error) {
              if (!(error instanceof StatusError)) throw error;
              expect(error.message).to.not.include('raíz').and.not.include('/');
              expect(error.code).to.be.oneOf([3, 5]);
            }
          }
        }),
        { numRuns: 500 },
      );
    });
  });
}

describe('The root jail, while a folder is swapped with a link to the outside', () => {
  async function whileSwapping(
    visit: (folder: TemporaryFolder) => Promise<void>,
    enough: () => boolean,
  ): Promise<void> {
    using folder = plantedTree();
    const swapper = new Worker(new URL('../support/files/swapper.ts', import.meta.url), {
      workerData: { folder: folder.join('raíz', 'dentro'), outside: folder.join('fuera') },
    });
    const failed = new Promise<never>((_, reject) => swapper.once('error', reject));
    try {
      while (!enough()) await Promise.race([visit(folder), failed]);
    } finally {
      await swapper.terminate();
    }
  }

  it('lists and finds nothing outside', async function () {
    if (!linux) this.skip(); // elsewhere the path may change between check and call
    let naiveEscapes = 0;
    let visible = 0;
    let missed = 0;
    let visits = 0;
    await using opened = new AsyncDisposableStack();
    let handlers: ReturnType<typeof handlersOf> | undefined;
    await whileSwapping(
      async (folder) => {
        const root = folder.join('raíz');
        handlers ??= opened.use(handlersOf(root, heldJail));
        const { list, search } = handlers;
        visits++;
        for (const ruta of ['dentro', 'dentro/sub']) {
          const entries = await list(ruta).catch((error: unknown) => {
            if (!(error instanceof StatusError)) throw error;
            expect(error.reason).to.be.oneOf(['ruta-no-existe', 'no-es-carpeta']);
            return undefined;
          });
          if (entries === undefined) missed++;
          else visible++;
          expect(entries?.map((entry) => entry.nombre) ?? []).to.not.include('secreto');
        }
        // A search takes ten times as long as a listing.
        if (visits % 10 === 0) expect(await search('', 'secreto')).to.deep.equal([]);
        // A jail that checks only the path would read this: proof that the swaps are fast enough to matter.
        try {
          if (readdirSync(`${root}/dentro/sub`).includes('secreto')) naiveEscapes++;
        } catch {
          // the folder is missing during a swap
        }
      },
      () => naiveEscapes >= 20 && visible >= 500 && missed >= 20,
    );
  });

  it('keeps an opened folder when its path is replaced', async function () {
    if (!linux) this.skip();
    using folder = plantedTree();
    const root = openRoot(folder.join('raíz'), heldJail);
    using opened = root.open(['dentro' as never]);
    renameSync(folder.join('raíz', 'dentro'), folder.join('raíz', 'otra'));
    symlinkSync('../fuera', folder.join('raíz', 'dentro'));
    using sub = opened.open('sub' as never);
    expect(sub.lstat('visible' as never).kind).to.equal(Kind.FILE);
    expect(() => sub.lstat('secreto' as never)).to.throw('ENOENT');
    expect(() => opened.open('..fuera' as never)).to.throw('ENOENT');
  });

  it('keeps the folder of `within` when its path is replaced, and restores the working directory', function () {
    if (!linux) this.skip();
    using folder = plantedTree();
    using sub = openRoot(folder.join('raíz'), heldJail).open(['dentro' as never, 'sub' as never]);
    const before = process.cwd();
    const meanwhile = sub.within(() => {
      renameSync(folder.join('raíz', 'dentro'), folder.join('raíz', 'otra'));
      symlinkSync('../fuera', folder.join('raíz', 'dentro'));
      expect(sub.lstat('visible' as never).kind).to.equal(Kind.FILE);
      expect(() => sub.lstat('secreto' as never)).to.throw('ENOENT');
      return process.cwd();
    });
    expect(meanwhile).to.equal(folder.join('raíz', 'otra', 'sub'));
    expect(process.cwd()).to.equal(before);
    expect(() =>
      sub.within(() => {
        throw new Error('in mid-work');
      }),
    ).to.throw('in mid-work');
    expect(process.cwd()).to.equal(before);
  });
});

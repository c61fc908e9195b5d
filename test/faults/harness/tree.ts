import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LoadRequest } from './load.ts';
import type { Random } from './random.ts';

const folders = 24;
/** Folder whose listing is larger than an AMQP frame and a socket buffer. */
const largeFolder = { name: 'grande', files: 1100 };

const folderName = (n: number): string => `carpeta ${n} ñ`;

/** Creates the files that are listed and searched. They do not change during a scenario. */
export function plantFiles(root: string): void {
  const plant = (folder: string, files: number): void => {
    mkdirSync(join(root, folder));
    for (let n = 0; n < files; n++) {
      const file = join(root, folder, `fichero ${n}.txt`);
      writeFileSync(file, 'x'.repeat(n % 50));
      utimesSync(file, 1_700_000_000 + n, 1_700_000_000 + n);
    }
  };
  for (let n = 0; n < folders; n++) plant(folderName(n), n % 7);
  plant(largeFolder.name, largeFolder.files);
}

/** Returns a random request: most operations and options, some invalid, half with `respond-async`. */
export function nextRequest(random: Random, large = 0.04): LoadRequest {
  const folder = encodeURIComponent(folderName(random.between(0, folders - 1)));
  const path =
    random.next() < large
      ? `/listar_archivos?ruta=${largeFolder.name}`
      : random.pick([
          `/listar_archivos?ruta=${folder}`,
          `/listar_archivos?ruta=${folder}&formato=nombres&limite=3`,
          `/v1/listar_archivos?ruta=${folder}&orden=-bytes&limite=2`,
          `/listar_archivos?ruta=nada`,
          `/buscar_archivos?nombre=fichero%20${random.between(0, 9)}&ruta=${folder}`,
          `/buscar_archivos?nombre=*.txt&ruta=${folder}&limite=5`,
        ]);
  const prefer = random.pick(['', '', 'respond-async', 'respond-async', 'respond-async', 'wait=1']);
  return prefer === '' ? { path } : { path, prefer };
}

import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { type ByteString, fromText } from './byte-string.ts';
import { FileError, folderFailure } from './file-error.ts';
import { Folder } from './folder.ts';
import { type Jail, nativeJail } from './jail.ts';

/** The served folder. Nothing outside of it can be reached through it. */
export interface Root {
  /** Path as configured; it may contain links. */
  readonly path: ByteString;
  /**
   * Opens a folder for the duration of one call. `parts` come from `parsePath`.
   * @throws FileError `raiz-no-disponible`, `ruta-no-existe`, `no-es-carpeta`, `ruta-sin-permiso`, `sin-recursos`,
   *   `carpeta-ilegible`
   */
  open(parts: readonly ByteString[]): Folder;
  /** Resolves when the root can be opened; else rejects with the FileError `raiz-no-disponible`. */
  check(): Promise<void>;
  /** Makes later calls fail with `raiz-no-disponible`. Open folders stay open. */
  close(): void;
}

/**
 * Returns a root whose folder is opened anew by every call. So a root that was missing or mounted over is always the
 * current one, and no descriptor prevents unmounting.
 * @param path absolute path of the machine; it may contain links
 */
export function openRoot(path: string, jail: Jail = nativeJail): Root {
  const root = fromText(path);
  let closed = false;

  function refuseIfClosed(): void {
    if (closed) throw new FileError('UNAVAILABLE', 'raiz-no-disponible', 'The root folder is closed');
  }

  function openRootFolder(): Folder {
    refuseIfClosed();
    try {
      return new Folder(jail, root, '' as ByteString, jail.enterRoot(root));
    } catch (error) {
      throw folderFailure('', error);
    }
  }

  return {
    path: root,
    open(parts) {
      let folder = openRootFolder();
      for (const part of parts) {
        using parent = folder;
        try {
          folder = parent.open(part);
        } catch (error) {
          throw folderFailure(part, error);
        }
      }
      return folder;
    },
    async check() {
      refuseIfClosed();
      try {
        const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NONBLOCK);
        await handle.close();
      } catch (error) {
        throw folderFailure('', error);
      }
    },
    close() {
      closed = true;
    },
  };
}

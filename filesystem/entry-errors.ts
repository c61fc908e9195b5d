import { type ByteString, toBytes, toText } from './byte-string.ts';
import { errnoOf, FileError, folderFailure } from './file-error.ts';

/** An entry that could not be read, in the shape of `archivos.v1.ErrorDeEntrada`. */
export interface EntryError {
  readonly ruta: string;
  readonly codigo: string;
  readonly rutaBytes: Buffer | undefined;
}

/** Maximum errors in one answer: a tree where every entry fails would exceed the message size. */
const maxErrors = 1000;

/**
 * Codes of an entry that vanished or stopped being a folder after its name was read. It is skipped without an error.
 */
const gone: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'ELOOP']);

/** Collects the errors of single entries while the rest of the listing goes on. */
export class EntryErrors {
  /** By path: a folder may fail as an entry and then as a folder. */
  readonly #errors = new Map<ByteString, EntryError>();

  get size(): number {
    return this.#errors.size;
  }

  /** Runs `call` for the entry at `path`; returns undefined when it failed. */
  attempt<Result>(path: ByteString, call: () => Result): Result | undefined {
    try {
      return call();
    } catch (error) {
      this.note(path, error);
      return undefined;
    }
  }

  /**
   * Records the failure of the entry at `path`.
   * @throws `thrown` when it is not a system error, and FileError `UNAVAILABLE` when every entry would fail (root
   *   missing, no descriptors left): the request should then be retried later
   */
  note(path: ByteString, thrown: unknown): void {
    const failure = folderFailure(path, thrown);
    if (failure instanceof FileError && failure.code === 'UNAVAILABLE') throw failure;
    const codigo = errnoOf(thrown instanceof FileError ? thrown.cause : thrown);
    if (codigo === undefined) throw thrown;
    if (gone.has(codigo) || this.#errors.size >= maxErrors || this.#errors.has(path)) return;
    const { text, exact } = toText(path);
    this.#errors.set(path, { ruta: text, codigo, rutaBytes: exact ? undefined : toBytes(path) });
  }

  /** Returns the errors collected so far and clears them. */
  take(): EntryError[] {
    const errors = this.items();
    this.#errors.clear();
    return errors;
  }

  /** Returns the errors in path order, so that equal answers are equal byte for byte. */
  items(): EntryError[] {
    return [...this.#errors.values()].sort((a, b) => (a.ruta < b.ruta ? -1 : 1));
  }
}

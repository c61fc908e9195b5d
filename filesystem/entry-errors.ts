import { type ByteString, toBytes, toText } from './byte-string.ts';
import { errnoOf, FileError, folderFailure } from './file-error.ts';

/** What could not be read, in the shape of `archivos.v1.ErrorDeEntrada`. */
export interface EntryError {
  readonly ruta: string;
  readonly codigo: string;
  readonly rutaBytes: Buffer | undefined;
}

/** How many of them an answer holds: a tree where everything fails would not fit in a message. */
const maxErrors = 1000;

/** An entry that vanished, or is no folder any more, since its name was read. It is left out, and that is no error. */
const gone: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'ELOOP']);

/** Collects what fails while the rest goes on. */
export class EntryErrors {
  #errors: EntryError[] = [];

  /** How many there are. */
  get size(): number {
    return this.#errors.length;
  }

  /** Makes a call for the entry at `path`. Undefined when it failed. */
  attempt<Result>(path: ByteString, call: () => Result): Result | undefined {
    try {
      return call();
    } catch (error) {
      this.note(path, error);
      return undefined;
    }
  }

  /**
   * @throws `thrown` again when it is not the system's; and what makes everything fail (no root, no descriptors): that is
   *   no answer, but a reason to ask again later
   */
  note(path: ByteString, thrown: unknown): void {
    const failure = folderFailure(path, thrown);
    if (failure instanceof FileError && failure.code === 'UNAVAILABLE') throw failure;
    const codigo = errnoOf(thrown instanceof FileError ? thrown.cause : thrown);
    if (codigo === undefined) throw thrown;
    if (gone.has(codigo) || this.#errors.length >= maxErrors) return;
    const { text, exact } = toText(path);
    this.#errors.push({ ruta: text, codigo, rutaBytes: exact ? undefined : toBytes(path) });
  }

  /** Gives what there is so far, and forgets it. */
  take(): EntryError[] {
    const errors = this.items();
    this.#errors = [];
    return errors;
  }

  /** In order of their paths, so that equal answers are equal byte for byte. */
  items(): EntryError[] {
    return this.#errors.sort((a, b) => (a.ruta < b.ruta ? -1 : 1));
  }
}

/** The part of gRPC's canonical codes that has to do with files; as words, so that this room needs no gRPC. */
export type FileErrorCode =
  | 'INVALID_ARGUMENT'
  | 'NOT_FOUND'
  | 'PERMISSION_DENIED'
  | 'UNAVAILABLE'
  | 'INTERNAL';

/**
 * A request that cannot be answered with entries, and why. `reason` is a stable word of the API; the message is
 * English and never holds a path of the machine (the `cause` does: it is for the log).
 */
export class FileError extends Error {
  override readonly name = 'FileError';
  readonly code: FileErrorCode;
  readonly reason: string;

  constructor(code: FileErrorCode, reason: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
    this.reason = reason;
  }
}

/** The system's name of an error (`ENOENT`), or undefined when it is no system error. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || !('syscall' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** What a failure to open or read a folder, given by its path below the root, means. What is no system error is given back. */
export function folderFailure(path: string, error: unknown): unknown {
  const errno = errnoOf(error);
  if (path === '' && errno !== 'EMFILE' && errno !== 'ENFILE') return rootFailure(error);
  const cause = { cause: error };
  switch (errno) {
    case undefined:
      return error;
    case 'ENOENT':
    case 'ENAMETOOLONG':
    case 'EINVAL':
    case 'EILSEQ':
      return new FileError('NOT_FOUND', 'ruta-no-existe', 'The folder does not exist', cause);
    case 'ENOTDIR':
    case 'ELOOP':
      return new FileError('INVALID_ARGUMENT', 'no-es-carpeta', 'The path is not a folder', cause);
    case 'EACCES':
    case 'EPERM':
      return new FileError('PERMISSION_DENIED', 'ruta-sin-permiso', 'The folder may not be read', cause);
    case 'EMFILE':
    case 'ENFILE':
    case 'ENOMEM':
      return new FileError(
        'UNAVAILABLE',
        'sin-recursos',
        'The system has no descriptors or memory left',
        cause,
      );
    default:
      return new FileError('INTERNAL', 'carpeta-ilegible', `The folder cannot be read (${errno})`, cause);
  }
}

/** A root that cannot be opened, for whatever reason, is the machine's trouble and not the caller's. */
function rootFailure(error: unknown): unknown {
  return errnoOf(error) === undefined
    ? error
    : new FileError('UNAVAILABLE', 'raiz-no-disponible', 'The root folder is not available', {
        cause: error,
      });
}

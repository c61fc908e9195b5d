/** The gRPC status codes that file errors use, as strings, so that this folder does not import gRPC. */
export type FileErrorCode =
  | 'INVALID_ARGUMENT'
  | 'NOT_FOUND'
  | 'PERMISSION_DENIED'
  | 'UNAVAILABLE'
  | 'INTERNAL';

/**
 * Error of a request that cannot be answered with entries. `reason` is a stable identifier of the API. The message is
 * English and never contains a path of the machine; `cause` does, for the log.
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

/** Returns the code of a system error (`ENOENT`), or undefined for any other error. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || !('syscall' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/**
 * Maps a failure to open or read a folder to a FileError. `path` is relative to the root. An error that is not a
 * system error is returned unchanged.
 */
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

/** Maps a failure to open the root to UNAVAILABLE: it is a fault of the machine, not of the request. */
function rootFailure(error: unknown): unknown {
  return errnoOf(error) === undefined
    ? error
    : new FileError('UNAVAILABLE', 'raiz-no-disponible', 'The root folder is not available', {
        cause: error,
      });
}

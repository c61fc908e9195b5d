import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { ConfigError, type ConfigProblem } from './env.ts';

/** Path of a PEM file, and the variable that names it. */
export interface PemFile {
  readonly variable: string;
  readonly path: string;
}

/** Certificate, key and authority of one side of TLS, as files. */
export interface TlsFiles {
  /** Certificate chain, and its key. */
  readonly cert?: PemFile | undefined;
  readonly key?: PemFile | undefined;
  /** Authority that must have signed the peer's certificate. */
  readonly ca?: PemFile | undefined;
}

/** Contents of `TlsFiles`. */
export interface TlsMaterial {
  readonly cert?: Buffer;
  readonly key?: Buffer;
  readonly ca?: Buffer;
}

/** Old versions have known weaknesses (RFC 8996). */
export const minVersion = 'TLSv1.2';

/**
 * Reads the files and checks that they fit together. Throws a `ConfigError`, which repeats nothing of their contents.
 */
export function readTls(files: TlsFiles): TlsMaterial {
  const problems: ConfigProblem[] = [];
  const read = (file: PemFile | undefined): Buffer | undefined => {
    if (file === undefined) return undefined;
    try {
      return readFileSync(file.path);
    } catch (err) {
      const { code } = err as NodeJS.ErrnoException;
      problems.push({ variable: file.variable, problem: `${file.path} cannot be read (${code})` });
      return undefined;
    }
  };
  const [cert, key, ca] = [read(files.cert), read(files.key), read(files.ca)];
  if (problems.length > 0) throw new ConfigError(problems);
  const material = { ...(cert && { cert }), ...(key && { key }), ...(ca && { ca }) };
  try {
    // OpenSSL ignores an authority that is no certificate.
    if (ca !== undefined) new X509Certificate(ca);
    createSecureContext({ ...material, minVersion });
  } catch (err) {
    const { variable = '' } = files.cert ?? files.ca ?? {};
    const problem = `the certificate, the key and the authority cannot be used: ${(err as Error).message}`;
    throw new ConfigError([{ variable, problem }], { cause: err });
  }
  return material;
}

/** Returns a problem when only one of certificate and key is set. */
export function pairProblems(
  cert: PemFile | undefined,
  key: PemFile | undefined,
  names: readonly [string, string],
) {
  if ((cert === undefined) === (key === undefined)) return [];
  const [variable, other] = cert === undefined ? names : [names[1], names[0]];
  return [{ variable, problem: `missing, while ${other} is set: they belong together` }];
}

/** Makes a `PemFile` from a variable's value. */
export function pemFile(variable: string, path: string | undefined): PemFile | undefined {
  return path === undefined ? undefined : { variable, path };
}

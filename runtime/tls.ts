import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { ConfigError, type ConfigProblem } from './env.ts';

/** A file in PEM, and the variable that names it. */
export interface PemFile {
  readonly variable: string;
  readonly path: string;
}

/** What a side of TLS shows and trusts, as files. */
export interface TlsFiles {
  /** Its certificate, with those between it and its authority, and the key. */
  readonly cert?: PemFile | undefined;
  readonly key?: PemFile | undefined;
  /** The authority by which the other side must be certified. */
  readonly ca?: PemFile | undefined;
}

/** The same, read. */
export interface TlsMaterial {
  readonly cert?: Buffer;
  readonly key?: Buffer;
  readonly ca?: Buffer;
}

/** Old versions have known weaknesses (RFC 8996). */
export const minVersion = 'TLSv1.2';

/** Reads the files, and looks whether they can be used together. Throws a `ConfigError`, which repeats nothing of them. */
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
    // OpenSSL passes over an authority that is none.
    if (ca !== undefined) new X509Certificate(ca);
    createSecureContext({ ...material, minVersion });
  } catch (err) {
    const { variable = '' } = files.cert ?? files.ca ?? {};
    const problem = `the certificate, the key and the authority cannot be used: ${(err as Error).message}`;
    throw new ConfigError([{ variable, problem }], { cause: err });
  }
  return material;
}

/** What is wrong with a certificate and its key, of which only one is named. */
export function pairProblems(
  cert: PemFile | undefined,
  key: PemFile | undefined,
  names: readonly [string, string],
) {
  if ((cert === undefined) === (key === undefined)) return [];
  const [variable, other] = cert === undefined ? names : [names[1], names[0]];
  return [{ variable, problem: `missing, while ${other} is set: they belong together` }];
}

/** For a schema's value: the path in a variable. */
export function pemFile(variable: string, path: string | undefined): PemFile | undefined {
  return path === undefined ? undefined : { variable, path };
}

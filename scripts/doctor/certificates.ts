import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:tls';
import { ConfigError } from '../../runtime/env.ts';
import type { Binding } from '../../runtime/listen-error.ts';
import { readTls, type TlsFiles, type TlsMaterial } from '../../runtime/tls.ts';
import { dialledHost } from '../dialled-address.ts';
import { type Finding, fine, wrong } from './finding.ts';

/** Checks configured TLS: the files exist and match, and the certificate is valid now. */
export function checkCertificate(name: string, files: TlsFiles | undefined): readonly Finding[] {
  if (files === undefined) return [];
  try {
    const { cert } = readTls(files);
    return cert === undefined ? [] : [validity(name, new X509Certificate(cert))];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ variable, problem }) =>
      wrong(`${name}: ${variable}: ${problem}`, 'docs/operations.md describes the files.'),
    );
  }
}

function validity(name: string, { validFromDate, validToDate }: X509Certificate): Finding {
  const [from, to] = [validFromDate, validToDate].map((date) => date.toISOString().slice(0, 10));
  if (validToDate < new Date())
    return wrong(`${name}: its certificate expired on ${to}`, `Renew it, and restart ${name}.`);
  if (validFromDate > new Date())
    return wrong(`${name}: its certificate is valid only from ${from}`, 'Check the clock of this machine.');
  return fine(`${name}: its certificate is valid until ${to}`);
}

/**
 * Returns the content of the files; undefined when none are set or they are invalid, which `checkCertificate`
 * reports.
 */
export function materialOf(files: TlsFiles | undefined): TlsMaterial | undefined {
  try {
    return files && readTls(files);
  } catch (error) {
    if (error instanceof ConfigError) return undefined;
    throw error;
  }
}

/** Returns the certificate that a port of this machine presents; undefined when it presents none. */
export async function certificateAt(
  { host, port }: Pick<Binding, 'host' | 'port'>,
  timeoutMs: number,
): Promise<X509Certificate | undefined> {
  const ALPNProtocols = ['h2'];
  const socket = connect({ host: dialledHost(host), port, rejectUnauthorized: false, ALPNProtocols });
  try {
    await once(socket, 'secureConnect', { signal: AbortSignal.timeout(timeoutMs) });
    return socket.getPeerX509Certificate();
  } catch {
    return undefined;
  } finally {
    socket.on('error', () => undefined).destroy();
  }
}

export function sameCertificate(shown: X509Certificate | undefined, files: TlsFiles): boolean {
  const { cert } = materialOf(files) ?? {};
  return cert !== undefined && shown?.fingerprint256 === new X509Certificate(cert).fingerprint256;
}

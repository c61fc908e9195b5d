import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:tls';
import { ConfigError } from '../../runtime/env.ts';
import type { Binding } from '../../runtime/listen-error.ts';
import { readTls, type TlsFiles, type TlsMaterial } from '../../runtime/tls.ts';
import { dialledHost } from '../dialled-address.ts';
import { type Finding, fine, wrong } from './finding.ts';

/** What of TLS is configured: whether its files are there and fit together, and until when the certificate is good. */
export function checkCertificate(name: string, files: TlsFiles | undefined): readonly Finding[] {
  if (files === undefined) return [];
  try {
    const { cert } = readTls(files);
    return cert === undefined ? [] : [validity(name, new X509Certificate(cert))];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ variable, problem }) =>
      wrong(`${name}: ${variable}: ${problem}`, 'docs/operations.md says which files there are.'),
    );
  }
}

function validity(name: string, { validFromDate, validToDate }: X509Certificate): Finding {
  const [from, to] = [validFromDate, validToDate].map((date) => date.toISOString().slice(0, 10));
  if (validToDate < new Date())
    return wrong(`${name}: its certificate was good until ${to}`, 'Renew it, and start it again.');
  if (validFromDate > new Date())
    return wrong(`${name}: its certificate is good from ${from} on`, 'Look at the clock of this machine.');
  return fine(`${name}: its certificate is good until ${to}`);
}

/** The files' content; undefined when there are none or they are no good, which `checkCertificate` tells. */
export function materialOf(files: TlsFiles | undefined): TlsMaterial | undefined {
  try {
    return files && readTls(files);
  } catch (error) {
    if (error instanceof ConfigError) return undefined;
    throw error;
  }
}

/** The certificate that is shown at a port of this machine; undefined when none is. */
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

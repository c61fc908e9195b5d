import { pino } from 'pino';
import { createCaller } from '../../gateway/calls/load-balanced-client.ts';
import type { GatewayConfig } from '../../gateway/config.ts';
import type { Binding } from '../../runtime/listen-error.ts';
import type { TlsFiles, TlsMaterial } from '../../runtime/tls.ts';
import { dialledAddress } from '../dialled-address.ts';
import { certificateAt, materialOf, sameCertificate } from './certificates.ts';
import { type Finding, fine, note } from './finding.ts';

const probeMs = 2_000;

/** Whether a service answers by gRPC at each of the addresses that the gateway dials. */
export async function checkService(service: string, config: GatewayConfig): Promise<readonly Finding[]> {
  const addresses = config.serviceUrls.get(service) ?? '';
  const probes = await probe(service, addresses, materialOf(config.tls.grpc));
  if (probes.length === 0) return [note(`${service}: ${addresses} has no address`, todoOf(service))];
  return probes.map(({ address, ok, latencyMs }) =>
    ok
      ? fine(`${service}: healthy at ${address} (${Math.round(latencyMs)} ms)`)
      : note(`${service}: does not answer by gRPC at ${address}, or cannot serve`, todoOf(service)),
  );
}

/**
 * Whether it is a gRPC service that answers there, and can serve. One with TLS may let in nobody who is certified by
 * nobody, so it is known by the certificate that it shows.
 */
export async function isService({ host, port }: Binding, tls: TlsFiles | undefined): Promise<boolean> {
  if (tls !== undefined) return sameCertificate(await certificateAt({ host, port }, probeMs), tls);
  return (await probe('', dialledAddress({ host, port }), undefined)).some(({ ok }) => ok);
}

async function probe(service: string, addresses: string, tls: TlsMaterial | undefined) {
  const log = pino({ level: 'silent' });
  const caller = createCaller({ service, addresses, deadlineMs: probeMs, tls, log });
  try {
    await caller.start();
    return await caller.probe(probeMs);
  } finally {
    await caller.stop();
  }
}

const todoOf = (service: string): string =>
  `npm run ${service}, or npm start. Its log says why it cannot serve. Requests are queued meanwhile.`;

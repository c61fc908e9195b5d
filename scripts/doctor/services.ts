import { pino } from 'pino';
import { createServiceClient } from '../../gateway/calls/load-balanced-client.ts';
import type { GatewayConfig } from '../../gateway/config.ts';
import type { Binding } from '../../runtime/listen-error.ts';
import type { TlsFiles, TlsMaterial } from '../../runtime/tls.ts';
import { dialledAddress } from '../dialled-address.ts';
import { certificateAt, materialOf, sameCertificate } from './certificates.ts';
import { compareClocks } from './clock.ts';
import { type Finding, fine, note } from './finding.ts';

const probeMs = 2_000;

/** Checks that a service answers by gRPC at each address that the gateway dials. */
export async function checkService(service: string, config: GatewayConfig): Promise<readonly Finding[]> {
  const addresses = config.serviceUrls.get(service) ?? '';
  const probes = await probe(service, addresses, materialOf(config.tls.grpc));
  if (probes.length === 0) return [note(`${service}: ${addresses} has no address`, todoOf(service))];
  const state = ({ address, ok, latencyMs, unused }: (typeof probes)[number]): Finding => {
    if (ok) return fine(`${service}: healthy at ${address} (${Math.round(latencyMs)} ms)`);
    if (unused) return fine(`${service}: its name has the address ${address} too, which does not answer`);
    return note(`${service}: does not answer by gRPC at ${address}, or is not healthy`, todoOf(service));
  };
  return probes.flatMap((probed) => [
    state(probed),
    ...(probed.clockAheadMs === undefined ? [] : [compareClocks(`${service}: its`, probed.clockAheadMs)]),
  ]);
}

/**
 * Returns whether a healthy gRPC service answers there. A service with TLS may require a client certificate, so it is
 * recognised by the certificate that it presents.
 */
export async function isService({ host, port }: Binding, tls: TlsFiles | undefined): Promise<boolean> {
  if (tls !== undefined) return sameCertificate(await certificateAt({ host, port }, probeMs), tls);
  return (await probe('', dialledAddress({ host, port }), undefined)).some(({ ok }) => ok);
}

async function probe(service: string, addresses: string, tls: TlsMaterial | undefined) {
  const log = pino({ level: 'silent' });
  const client = createServiceClient({ service, addresses, deadlineMs: probeMs, tls, log });
  try {
    await client.start();
    const probes = await client.probe(probeMs);
    const unused = new Map(client.addresses().map((state) => [state.address, state.unused]));
    return probes.map((result) => ({ ...result, unused: unused.get(result.address) }));
  } finally {
    await client.stop();
  }
}

const todoOf = (service: string): string =>
  `npm run ${service}, or npm start. Its log says why it is not healthy. Requests are queued meanwhile.`;

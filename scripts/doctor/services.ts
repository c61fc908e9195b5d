import { pino } from 'pino';
import { createCaller } from '../../gateway/calls/service-caller.ts';
import type { GatewayConfig } from '../../gateway/config.ts';
import type { Binding } from '../../runtime/listen-error.ts';
import { type Finding, fine, note } from './finding.ts';
import { urlHost } from './ports.ts';

const probeMs = 2_000;

/** Whether a service answers by gRPC at each of the addresses that the gateway dials. */
export async function checkService(service: string, config: GatewayConfig): Promise<readonly Finding[]> {
  const addresses = config.serviceUrls.get(service) ?? '';
  const probes = await probe(service, addresses);
  if (probes.length === 0) return [note(`${service}: ${addresses} has no address`, todoOf(service))];
  return probes.map(({ address, ok, latencyMs }) =>
    ok
      ? fine(`${service}: healthy at ${address} (${Math.round(latencyMs)} ms)`)
      : note(`${service}: does not answer by gRPC at ${address}, or cannot serve`, todoOf(service)),
  );
}

/** Whether it is a gRPC service that answers there, and can serve. */
export async function isService({ host, port }: Binding): Promise<boolean> {
  return (await probe('', urlHost({ host, port }))).some(({ ok }) => ok);
}

async function probe(service: string, addresses: string) {
  const caller = createCaller({ service, addresses, deadlineMs: probeMs, log: pino({ level: 'silent' }) });
  try {
    await caller.start();
    return await caller.probe(probeMs);
  } finally {
    await caller.stop();
  }
}

const todoOf = (service: string): string =>
  `npm run ${service}, or npm start. Its log says why it cannot serve. Requests are queued meanwhile.`;

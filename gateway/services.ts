import type { FeedDefinition } from './calls/feed.ts';
import { buscarArchivos, cambiosDelIndice } from './operations/buscar-archivos.ts';
import { cambiosDeCarpetas, listarArchivos } from './operations/listar-archivos.ts';
import type { Operation } from './operations/operation.ts';

/**
 * A microservice behind the gateway. From its name derive its variables (`MSERV1_URL`), its queues
 * (`archivero.mserv1.v1`), its probe in `/salud` and its routes. To add a microservice is to add an entry here.
 */
export interface Service {
  /** Lower-case letters and digits. */
  readonly name: string;
  /** What the gateway dials when `<NAME>_URL` is not set. */
  readonly defaultUrl: string;
  /** The prefix that its variables had in the original system; still understood. */
  readonly formerPrefix?: string;
  readonly operations: readonly Operation[];
  /** How it tells of changes, so that its answers may be kept. */
  readonly feed?: FeedDefinition;
}

export const services: readonly Service[] = [
  {
    name: 'mserv1',
    defaultUrl: '127.0.0.1:5001',
    formerPrefix: 'MICSERVER1',
    operations: [listarArchivos as Operation],
    feed: cambiosDeCarpetas as FeedDefinition,
  },
  {
    name: 'mserv2',
    defaultUrl: '127.0.0.1:5002',
    formerPrefix: 'MICSERVER2',
    operations: [buscarArchivos as Operation],
    feed: cambiosDelIndice as FeedDefinition,
  },
];

import { buscarArchivos, cambiosDelIndice } from './operations/buscar-archivos.ts';
import { cambiosDeCarpetas, listarArchivos } from './operations/listar-archivos.ts';
import type { Operation } from './operations/operation.ts';
import type { Service } from './operations/service.ts';

/** The registry: one entry per microservice. */
export const services: readonly Service[] = [
  {
    name: 'mserv1',
    defaultUrl: '127.0.0.1:5001',
    formerPrefix: 'MICSERVER1',
    operations: [listarArchivos as Operation],
    feed: cambiosDeCarpetas,
  },
  {
    name: 'mserv2',
    defaultUrl: '127.0.0.1:5002',
    formerPrefix: 'MICSERVER2',
    operations: [buscarArchivos as Operation],
    feed: cambiosDelIndice,
  },
];

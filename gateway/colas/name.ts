import { ProblemError } from '../http/problem.ts';

/** A queue that the API may inspect. Only user queues (`usuario`) accept pushes and pops. */
export interface QueueName {
  /** The name in RabbitMQ: `usuario.compras`, `archivero.mserv1.v1`. */
  readonly nombre: string;
  readonly tipo: 'usuario' | 'interna';
}

const userPrefix = 'usuario.';
const internalPrefix = 'archivero.';

/** The queue of `/apis/queue/*`. */
export const defaultQueue: QueueName = { nombre: `${userPrefix}general`, tipo: 'usuario' };

/** RabbitMQ allows 255 bytes; this leaves room for the text that it puts around a name in errors. */
const maxNameBytes = 100;

/** Returns undefined for a queue of another application on the shared broker. */
export function knownQueue(nombre: string): QueueName | undefined {
  if (nombre.startsWith(userPrefix)) return { nombre, tipo: 'usuario' };
  return nombre.startsWith(internalPrefix) ? { nombre, tipo: 'interna' } : undefined;
}

/**
 * Returns the queue that a path names, by its full name or by the part after `usuario.`. Names are normalised to NFC, so
 * that both encodings of an accent mean one queue.
 * @throws ProblemError `nombre-de-cola-no-valido`
 */
export function queueOf(pathName: string): QueueName {
  const name = pathName.normalize('NFC');
  const full = knownQueue(name) ?? { nombre: `${userPrefix}${name}`, tipo: 'usuario' };
  const rest = full.nombre.slice(full.tipo === 'usuario' ? userPrefix.length : 0);
  if (!/^[\p{L}\p{N}][\p{L}\p{N}._-]*$/u.test(rest) || Buffer.byteLength(rest) > maxNameBytes) {
    throw new ProblemError('nombre-de-cola-no-valido', { values: { max: maxNameBytes } });
  }
  return full;
}

/**
 * Returns the user queue that a path names, for operations that change it.
 * @throws ProblemError `nombre-de-cola-no-valido`, `cola-interna` for a queue of requests or replies
 */
export function userQueueOf(pathName: string): QueueName {
  const queue = queueOf(pathName);
  if (queue.tipo === 'interna') throw new ProblemError('cola-interna', { values: { cola: queue.nombre } });
  return queue;
}

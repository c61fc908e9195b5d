import { ProblemError } from '../http/problem.ts';

/** A queue that can be looked at. Only those of people may be written to and taken from. */
export interface QueueName {
  /** As RabbitMQ has it: `usuario.compras`, `archivero.mserv1.v1`. */
  readonly nombre: string;
  readonly tipo: 'usuario' | 'interna';
}

const userPrefix = 'usuario.';
const internalPrefix = 'archivero.';

/** What `/apis/queue/*` is about. */
export const defaultQueue: QueueName = { nombre: `${userPrefix}general`, tipo: 'usuario' };

/** RabbitMQ takes 255 bytes; this leaves room for what it puts around a name in errors. */
const longest = 100;

/** Undefined for a queue that is none of ours: others may share the broker. */
export function knownQueue(nombre: string): QueueName | undefined {
  if (nombre.startsWith(userPrefix)) return { nombre, tipo: 'usuario' };
  return nombre.startsWith(internalPrefix) ? { nombre, tipo: 'interna' } : undefined;
}

/**
 * The queue that a path means: a full name, or what follows `usuario.` in it. Two ways to write an accent are one name.
 * @throws ProblemError `nombre-de-cola-no-valido`
 */
export function queueOf(written: string): QueueName {
  const name = written.normalize('NFC');
  const full = knownQueue(name) ?? { nombre: `${userPrefix}${name}`, tipo: 'usuario' };
  const rest = full.nombre.slice(full.tipo === 'usuario' ? userPrefix.length : 0);
  if (!/^[\p{L}\p{N}][\p{L}\p{N}._-]*$/u.test(rest) || Buffer.byteLength(rest) > longest) {
    throw new ProblemError('nombre-de-cola-no-valido', { values: { max: longest } });
  }
  return full;
}

/**
 * The same for what changes a queue.
 * @throws ProblemError `cola-interna` for those that requests and answers travel by
 */
export function userQueueOf(written: string): QueueName {
  const queue = queueOf(written);
  if (queue.tipo === 'interna') throw new ProblemError('cola-interna', { values: { cola: queue.nombre } });
  return queue;
}

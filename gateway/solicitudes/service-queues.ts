import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { brokerReason } from '../../runtime/amqp/refusal.ts';
import type { Session } from '../../runtime/amqp/session.ts';
import { declareService } from '../../runtime/amqp/topology.ts';
import { createReminder } from '../../runtime/reminder.ts';

/** The queues of every service in RabbitMQ. Each service's are declared apart: one whose queues are wrong stops no other. */
export interface ServiceQueues {
  /** Declares the queues of all services on a new connection; those that fail, again until the connection ends. */
  follow(session: Session): void;
  /** Declares a service's queues again, after one was deleted. Resolves when that was tried once. */
  redeclare(service: string): Promise<void>;
  /** Whether a service's queues are declared on the current connection. */
  declared(service: string): boolean;
  /** RabbitMQ's reasons why queues cannot be declared, by service. */
  readonly failures: ReadonlyMap<string, string>;
  /** Notifies when `declared` may have changed; returns the unsubscribe function. */
  subscribe(listener: () => void): () => void;
}

export interface ServiceQueuesOptions {
  readonly services: readonly string[];
  readonly log: Logger;
  /** Pause before a failed declaration is repeated; it doubles each time, up to half a minute. Default 1000. */
  readonly retryMs?: number;
}

const maxRetryMs = 30_000;

export function createServiceQueues({ services, log, retryMs = 1_000 }: ServiceQueuesOptions): ServiceQueues {
  const declared = new Set<string>();
  const failures = new Map<string, string>();
  const reminders = new Map(services.map((service) => [service, createReminder()]));
  const listeners = new Set<() => void>();
  /** The connection, and the services whose queues are being declared on it, with the end of the first attempt. */
  let current: { readonly session: Session; readonly declaring: Map<string, Promise<void>> } | undefined;
  const notify = (): void => {
    for (const listener of [...listeners]) listener();
  };

  function succeeded(service: string): void {
    if (failures.delete(service)) log.info({ service }, 'queues usable again; publishing to them');
    reminders.get(service)?.clear();
    declared.add(service);
    notify();
  }

  function failed(service: string, reason: string): void {
    if (reminders.get(service)?.isDue(reason))
      log.warn({ service, reason }, 'queues cannot be used; calling the service directly until they can');
    failures.set(service, reason);
    declared.delete(service);
    notify();
  }

  /** Declares a service's queues until it succeeds or the connection ends; calls `onTried` after the first attempt. */
  async function keepDeclaring(session: Session, service: string, onTried: () => void): Promise<void> {
    const { signal } = session;
    for (let pauseMs = retryMs; !signal.aborted; pauseMs = Math.min(maxRetryMs, 2 * pauseMs)) {
      const failure = await declareService(session, service).then(() => undefined, brokerReason);
      if (signal.aborted) break;
      if (failure === undefined) succeeded(service);
      else failed(service, failure);
      onTried();
      if (failure === undefined) return;
      await delay(pauseMs, undefined, { signal }).catch(() => undefined);
    }
    onTried();
  }

  async function redeclare(service: string): Promise<void> {
    if (current === undefined) return;
    const { session, declaring } = current;
    const running = declaring.get(service);
    if (running !== undefined) return running;
    const tried = Promise.withResolvers<void>();
    declaring.set(service, tried.promise);
    void keepDeclaring(session, service, tried.resolve).finally(() => declaring.delete(service));
    return tried.promise;
  }

  return {
    follow(session) {
      current = { session, declaring: new Map() };
      session.signal.addEventListener('abort', () => {
        current = undefined;
        declared.clear();
        notify();
      });
      for (const service of services) void redeclare(service);
    },
    redeclare,
    declared: (service) => declared.has(service),
    failures,
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

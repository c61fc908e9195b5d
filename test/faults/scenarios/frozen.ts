import { setTimeout as delay } from 'node:timers/promises';
import type { Scenario } from '../harness/scenario.ts';

/** Longer than two heartbeats of the connections to the broker (5 s each) and than every deadline. */
const longMs = 13_000;

export const frozen: readonly Scenario[] = [
  {
    name: 'broker-frozen',
    about: 'broker stopped (SIGSTOP) past heartbeats, then continued',
    async fault({ deployment, load }) {
      deployment.broker.pause();
      await load.untilAccepted(40);
      await delay(longMs);
    },
    repair: async ({ deployment }) => deployment.broker.resume(),
  },
  {
    name: 'service-frozen',
    about: 'mserv1 stopped past deadlines and heartbeats, then continued',
    async fault({ deployment, load }) {
      deployment.proc('mserv1').pause();
      await load.untilAccepted(40);
      await delay(longMs);
    },
    repair: async ({ deployment }) => deployment.proc('mserv1').resume(),
  },
  {
    name: 'gateway-frozen',
    about: 'gateway stopped past deadlines and heartbeats, then continued',
    async fault({ deployment }) {
      deployment.proc('gateway').pause();
      await delay(longMs);
    },
    repair: async ({ deployment }) => deployment.proc('gateway').resume(),
  },
];

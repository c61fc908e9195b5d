import { setTimeout as delay } from 'node:timers/promises';
import type { Scenario } from '../harness/scenario.ts';

/** Past two heartbeats of the connections to the broker (5 s) and every deadline. */
const longMs = 13_000;

export const frozen: readonly Scenario[] = [
  {
    name: 'broker-frozen',
    about: 'broker stopped (SIGSTOP) past heartbeats, then continued',
    async fault({ world, load }) {
      world.broker.pause();
      await load.untilAccepted(40);
      await delay(longMs);
    },
    heal: async ({ world }) => world.broker.resume(),
  },
  {
    name: 'service-frozen',
    about: 'mserv1 stopped past deadlines and heartbeats, then continued',
    async fault({ world, load }) {
      world.proc('mserv1').pause();
      await load.untilAccepted(40);
      await delay(longMs);
    },
    heal: async ({ world }) => world.proc('mserv1').resume(),
  },
  {
    name: 'gateway-frozen',
    about: 'gateway stopped past deadlines and heartbeats, then continued',
    async fault({ world }) {
      world.proc('gateway').pause();
      await delay(longMs);
    },
    heal: async ({ world }) => world.proc('gateway').resume(),
  },
];

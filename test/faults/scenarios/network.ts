import { setTimeout as delay } from 'node:timers/promises';
import type { Behaviour, Direction } from '../harness/fault-proxy.ts';
import type { FaultContext, Scenario } from '../harness/scenario.ts';
import { nextRequest } from '../harness/tree.ts';
import type { ProxyName } from '../harness/wiring.ts';

const proxies: readonly ProxyName[] = ['client-gateway', 'gateway-broker', 'mserv1-broker', 'gateway-mserv1'];
/** Longer than two heartbeats of the connections to the broker. */
const longMs = 12_000;
/** Below the 10 s after which the gateway answers 408 to an incomplete request. */
const headMs = 8_000;
const slug = (text: string): string => text.replaceAll(' ', '-');

/** Returns a scenario in which a proxy behaves in one way for some time. */
function behaving(proxy: ProxyName, effect: string, behaviour: Behaviour, ms: number): Scenario {
  // No request is accepted while none arrives.
  const acceptsNone = proxy === 'client-gateway' && behaviour.kind === 'black hole';
  return {
    name: `${proxy}-${slug(effect)}`,
    about: `between ${proxy.replace('-', ' and ')}: ${effect}`,
    deployment: { proxies: [proxy] },
    async fault({ deployment, load }) {
      deployment.proxy(proxy).behave(behaviour);
      await Promise.all([acceptsNone || load.untilAccepted(20), delay(ms)]);
    },
    repair: async ({ deployment }) => deployment.proxy(proxy).behave({ kind: 'pass' }),
  };
}

export async function cutFrames({ deployment, random, load }: FaultContext, proxy: ProxyName): Promise<void> {
  for (let n = 0; n < 6; n++) {
    const direction = random.pick<Direction>(['out', 'back']);
    const nth = random.between(1, 12);
    await deployment.proxy(proxy).arm({ direction, nth, action: 'cut inside' }).reached;
    await load.untilAccepted(5);
  }
}

function faultsBetween(proxy: ProxyName): readonly Scenario[] {
  return [
    {
      name: `${proxy}-reset-in-mid-frame`,
      about: `between ${proxy.replace('-', ' and ')}: reset in mid-frame, six times`,
      deployment: { proxies: [proxy] },
      fault: (context) => cutFrames(context, proxy),
    },
    ...(['dialler', 'dialled'] as const).map((ends): Scenario => {
      const [from = '', to = ''] = proxy.split('-');
      const living = ends === 'dialler' ? to : from;
      return {
        name: `${proxy}-half-open-at-${living}`,
        about: `between ${proxy.replace('-', ' and ')}: connections end unnoticed by ${living}`,
        deployment: { proxies: [proxy] },
        async fault({ deployment, load }) {
          for (let n = 0; n < 2; n++) {
            deployment.proxy(proxy).halfOpen(ends);
            await load.untilAccepted(20);
          }
          // The open side notices by its heartbeats.
          if (to === 'broker') await delay(longMs);
        },
      };
    }),
    behaving(proxy, 'black hole', { kind: 'black hole' }, proxy === 'client-gateway' ? headMs : longMs),
    behaving(proxy, '2 s late', { kind: 'late', ms: 2_000 }, longMs),
    {
      ...behaving(proxy, 'byte by byte', { kind: 'byte by byte' }, 3_000),
      load: { rate: 40, next: (random) => nextRequest(random, 0) },
    },
  ];
}

/** Drops publishes for some time, then resets: TCP cannot continue a connection after lost data. */
function losing(proxy: ProxyName, effect: string): Scenario {
  const lost: Behaviour = { kind: 'without', method: 'basic.publish', direction: 'out' };
  return {
    ...behaving(proxy, effect, lost, lossMs),
    async repair({ deployment }) {
      deployment.proxy(proxy).behave({ kind: 'pass' });
      deployment.proxy(proxy).reset();
    },
  };
}

const lossMs = 5_000;
const unconfirmed: Behaviour = { kind: 'without', method: 'basic.ack', direction: 'back' };

export const network: readonly Scenario[] = [
  ...proxies.flatMap(faultsBetween),
  behaving('gateway-broker', 'confirms lost', unconfirmed, lossMs),
  behaving('mserv1-broker', 'confirms lost', unconfirmed, lossMs),
  losing('gateway-broker', 'publishes lost'),
  losing('mserv1-broker', 'replies lost'),
];

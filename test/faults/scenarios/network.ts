import { setTimeout as delay } from 'node:timers/promises';
import type { Behaviour, Way } from '../harness/link.ts';
import type { Scenario, Stage } from '../harness/scenario.ts';
import { nextAsk } from '../harness/tree.ts';
import type { LinkName } from '../harness/wiring.ts';

const links: readonly LinkName[] = ['client-gateway', 'gateway-broker', 'mserv1-broker', 'gateway-mserv1'];
/** Past two heartbeats of the connections to the broker. */
const longMs = 12_000;
/** A request whose head has not come in ten seconds is answered with 408, and rightly. */
const headMs = 8_000;
const slug = (text: string): string => text.replaceAll(' ', '-');

/** A network that treats everything in one way for a while. */
function behaving(link: LinkName, what: string, behaviour: Behaviour, ms: number): Scenario {
  // Nobody is accepted whose request does not arrive.
  const isDeaf = link === 'client-gateway' && behaviour.kind === 'black hole';
  return {
    name: `${link}-${slug(what)}`,
    about: `between ${link.replace('-', ' and ')}: ${what}`,
    world: { links: [link] },
    async fault({ world, load }) {
      world.link(link).behave(behaviour);
      await Promise.all([isDeaf || load.untilAccepted(20), delay(ms)]);
    },
    heal: async ({ world }) => world.link(link).behave({ kind: 'pass' }),
  };
}

export async function cutFrames({ world, random, load }: Stage, link: LinkName): Promise<void> {
  for (let n = 0; n < 6; n++) {
    const way = random.pick<Way>(['out', 'back']);
    const nth = random.between(1, 12);
    await world.link(link).strike({ way, nth, action: 'cut inside' }).reached;
    await load.untilAccepted(5);
  }
}

function accidents(link: LinkName): readonly Scenario[] {
  return [
    {
      name: `${link}-reset-in-mid-frame`,
      about: `between ${link.replace('-', ' and ')}: reset in mid-frame, six times`,
      world: { links: [link] },
      fault: (stage) => cutFrames(stage, link),
    },
    ...(['dialler', 'dialled'] as const).map((ends): Scenario => {
      const [from = '', to = ''] = link.split('-');
      const living = ends === 'dialler' ? to : from;
      return {
        name: `${link}-half-open-at-${living}`,
        about: `between ${link.replace('-', ' and ')}: connections end unnoticed by ${living}`,
        world: { links: [link] },
        async fault({ world, load }) {
          for (let n = 0; n < 2; n++) {
            world.link(link).halfOpen(ends);
            await load.untilAccepted(20);
          }
          // It is over when the living one has noticed, by its heartbeats.
          if (to === 'broker') await delay(longMs);
        },
      };
    }),
    behaving(link, 'black hole', { kind: 'black hole' }, link === 'client-gateway' ? headMs : longMs),
    behaving(link, '2 s late', { kind: 'late', ms: 2_000 }, longMs),
    {
      ...behaving(link, 'byte by byte', { kind: 'byte by byte' }, 3_000),
      load: { rate: 40, next: (random) => nextAsk(random, 0) },
    },
  ];
}

/** What is sent is lost for a while. TCP goes on after that with a new connection only. */
function losing(link: LinkName, what: string): Scenario {
  const lost: Behaviour = { kind: 'without', method: 'basic.publish', way: 'out' };
  return {
    ...behaving(link, what, lost, lossMs),
    async heal({ world }) {
      world.link(link).behave({ kind: 'pass' });
      world.link(link).reset();
    },
  };
}

const lossMs = 5_000;
const unconfirmed: Behaviour = { kind: 'without', method: 'basic.ack', way: 'back' };

export const network: readonly Scenario[] = [
  ...links.flatMap(accidents),
  behaving('gateway-broker', 'confirms lost', unconfirmed, lossMs),
  behaving('mserv1-broker', 'confirms lost', unconfirmed, lossMs),
  losing('gateway-broker', 'publishes lost'),
  losing('mserv1-broker', 'replies lost'),
];

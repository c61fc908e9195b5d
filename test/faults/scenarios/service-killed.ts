import type { Strike } from '../harness/link.ts';
import type { Scenario } from '../harness/scenario.ts';

/** Kills mserv1 when a frame of its connections to the broker comes by. */
function atFrame(name: string, about: string, strike: Strike): Scenario {
  return {
    name: `service-killed-${name}`,
    about: `mserv1 killed ${about}`,
    world: { links: ['mserv1-broker'] },
    async fault({ world, load, random }) {
      const nth = random.between(1, 30);
      await world.link('mserv1-broker').strike({ ...strike, nth }).reached;
      await world.kill('mserv1');
      await load.untilAccepted(20);
    },
  };
}

export const serviceKilled: readonly Scenario[] = [
  atFrame('before-work', 'before a request reaches it', {
    way: 'back',
    method: 'basic.deliver',
    action: 'hold before',
  }),
  atFrame('after-work', 'after the work, before the reply', {
    way: 'out',
    method: 'basic.publish',
    action: 'hold before',
  }),
  atFrame('amid-reply', 'between the frames of a reply', {
    way: 'out',
    method: 'basic.publish',
    action: 'hold after',
  }),
  atFrame('before-confirm', 'after a reply, before its confirm', {
    way: 'back',
    method: 'basic.ack',
    action: 'hold before',
  }),
  atFrame('before-ack', 'after a reply is confirmed, before the ack', {
    way: 'out',
    method: 'basic.ack',
    action: 'hold before',
  }),
  atFrame('after-ack', 'after the ack', { way: 'out', method: 'basic.ack', action: 'hold after' }),
  {
    name: 'services-killed',
    about: 'both services killed three times under load',
    async fault({ world, load }) {
      for (let n = 0; n < 3; n++) {
        await Promise.all([world.kill('mserv1'), world.kill('mserv2')]);
        await load.untilAccepted(20);
        await Promise.all([world.start('mserv1'), world.start('mserv2')]);
        await load.untilAccepted(20);
      }
    },
  },
];

import type { FrameFault } from '../harness/fault-proxy.ts';
import type { Scenario } from '../harness/scenario.ts';

/** Kills mserv1 when a certain frame passes between it and the broker. */
function atFrame(name: string, about: string, frameFault: FrameFault): Scenario {
  return {
    name: `service-killed-${name}`,
    about: `mserv1 killed ${about}`,
    deployment: { proxies: ['mserv1-broker'] },
    async fault({ deployment, load, random }) {
      const nth = random.between(1, 30);
      await deployment.proxy('mserv1-broker').arm({ ...frameFault, nth }).reached;
      await deployment.kill('mserv1');
      await load.untilAccepted(20);
    },
  };
}

export const serviceKilled: readonly Scenario[] = [
  atFrame('before-work', 'before a request reaches it', {
    direction: 'back',
    method: 'basic.deliver',
    action: 'hold before',
  }),
  atFrame('after-work', 'after the work, before the reply', {
    direction: 'out',
    method: 'basic.publish',
    action: 'hold before',
  }),
  atFrame('amid-reply', 'between the frames of a reply', {
    direction: 'out',
    method: 'basic.publish',
    action: 'hold after',
  }),
  atFrame('before-confirm', 'after a reply, before its confirm', {
    direction: 'back',
    method: 'basic.ack',
    action: 'hold before',
  }),
  atFrame('before-ack', 'after a reply is confirmed, before the ack', {
    direction: 'out',
    method: 'basic.ack',
    action: 'hold before',
  }),
  atFrame('after-ack', 'after the ack', { direction: 'out', method: 'basic.ack', action: 'hold after' }),
  {
    name: 'services-killed',
    about: 'both services killed three times under load',
    async fault({ deployment, load }) {
      for (let n = 0; n < 3; n++) {
        await Promise.all([deployment.kill('mserv1'), deployment.kill('mserv2')]);
        await load.untilAccepted(20);
        await Promise.all([deployment.start('mserv1'), deployment.start('mserv2')]);
        await load.untilAccepted(20);
      }
    },
  },
];

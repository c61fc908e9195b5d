import type { Scenario } from '../harness/scenario.ts';

export const rolling: readonly Scenario[] = [
  {
    name: 'rolling-restart',
    about: 'everything restarted one by one under load, services with old and new side by side',
    world: { replicas: true },
    async fault({ world, load }) {
      for (const service of ['mserv1', 'mserv2'] as const) {
        await world.start(`${service}#2`);
        await load.untilAccepted(15);
        await world.stop(service);
        await load.untilAccepted(15);
        await world.start(service);
        await load.untilAccepted(15);
        await world.stop(`${service}#2`);
      }
      await world.stop('gateway');
      await world.start('gateway');
      await load.untilAccepted(15);
      await world.broker.ctl('stop_app');
      await load.untilAccepted(15);
      await world.broker.ctl('start_app');
      await load.untilAccepted(15);
    },
  },
];

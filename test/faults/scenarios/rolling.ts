import type { Scenario } from '../harness/scenario.ts';

export const rolling: readonly Scenario[] = [
  {
    name: 'rolling-restart',
    about: 'all processes restarted one by one under load, old and new services side by side',
    deployment: { replicas: true },
    async fault({ deployment, load }) {
      for (const service of ['mserv1', 'mserv2'] as const) {
        await deployment.start(`${service}#2`);
        await load.untilAccepted(15);
        await deployment.stop(service);
        await load.untilAccepted(15);
        await deployment.start(service);
        await load.untilAccepted(15);
        await deployment.stop(`${service}#2`);
      }
      await deployment.stop('gateway');
      await deployment.start('gateway');
      await load.untilAccepted(15);
      await deployment.broker.ctl('stop_app');
      await load.untilAccepted(15);
      await deployment.broker.ctl('start_app');
      await load.untilAccepted(15);
    },
  },
];

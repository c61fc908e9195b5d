import { ProblemError } from '../http/problem.ts';
import type { Step } from '../http/steps.ts';

/**
 * Refuses requests while `max` others are in flight: queueing them would slow down all. Liveness probes are always
 * answered. A request is in flight until its answer is sent or its connection closes.
 */
export function limitConcurrency(max: number): Step {
  let inFlight = 0;
  const leave = (): void => {
    inFlight--;
  };
  return (ctx) => {
    if (inFlight >= max && ctx.path !== '/salud/viva' && ctx.path !== '/healthz') {
      throw new ProblemError('gateway-saturado', { headers: { 'retry-after': '1' } });
    }
    inFlight++;
    ctx.res.on('close', leave);
  };
}

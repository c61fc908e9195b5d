import type { BlockList } from 'node:net';
import { isIn } from '../http/client-address.ts';
import { ProblemError } from '../http/problem.ts';
import type { Step } from '../http/steps.ts';

/** Refuses clients whose address is in `deny`, or is missing from an existing `allow` list. */
export function addressLists(allow: BlockList | undefined, deny: BlockList | undefined): Step {
  return (ctx) => {
    const { address } = ctx.state;
    const refused =
      (deny !== undefined && isIn(deny, address)) || (allow !== undefined && !isIn(allow, address));
    if (refused) throw new ProblemError('direccion-no-permitida');
  };
}

import type { Scenario } from '../harness/scenario.ts';
import { brokerFaults } from './broker.ts';
import { clock } from './clock.ts';
import { frozen } from './frozen.ts';
import { gatewayKilled } from './gateway-killed.ts';
import { ledgerFaults } from './ledger.ts';
import { network } from './network.ts';
import { postgresFaults } from './postgres.ts';
import { rolling } from './rolling.ts';
import { serviceFaults } from './service.ts';
import { serviceKilled } from './service-killed.ts';

/** In the order in which they are played and reported. */
export const scenarios: readonly Scenario[] = [
  ...gatewayKilled,
  ...serviceKilled,
  ...brokerFaults,
  ...frozen,
  ...network,
  ...ledgerFaults,
  ...postgresFaults,
  ...serviceFaults,
  ...clock,
  ...rolling,
];

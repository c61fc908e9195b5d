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

/** All scenarios, in the order of play and report. */
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

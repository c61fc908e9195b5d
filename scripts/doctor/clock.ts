import { type Finding, fine, wrong } from './finding.ts';

const slackMs = 2_000;

/** Compares the clock of another machine with this one's. `whose` begins a sentence. */
export function compareClocks(whose: string, aheadMs: number): Finding {
  const clocks = `${whose} clock and this machine's differ by ${Math.round(Math.abs(aheadMs))} ms`;
  return Math.abs(aheadMs) > slackMs ? wrong(clocks, 'Synchronise both with NTP.') : fine(clocks);
}

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runScenario } from './harness/run-scenario.ts';
import { createServers } from './harness/servers.ts';
import { repository } from './harness/world.ts';
import { scenarios } from './scenarios/all.ts';

// `npm run faults`

const { values } = parseArgs({
  options: { only: { type: 'string', multiple: true }, seed: { type: 'string' } },
});
const seed = Number(values.seed ?? 1);
const folder = join(repository, 'data', 'faults');
mkdirSync(folder, { recursive: true });
const chosen = scenarios.filter(({ name }) => values.only?.some((only) => name.includes(only)) ?? true);
await using servers = createServers();
for (const scenario of chosen) {
  const missing = scenario.missing?.();
  if (missing !== undefined) {
    console.log(`${scenario.name}: skipped: ${missing}`);
    continue;
  }
  const result = await runScenario(scenario, { servers, seed, folder });
  const { figures, violations } = result;
  console.log(
    `${violations.length === 0 ? 'ok ' : 'RED'} ${scenario.name} ${result.seconds.toFixed(1)} s ${JSON.stringify(figures)}`,
  );
  for (const { kind, detail } of violations) console.log(`      ${kind}: ${detail}`);
}

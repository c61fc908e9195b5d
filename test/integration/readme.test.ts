import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { TemporaryFolder } from '../support/files/temporary-folder.ts';
import { consoleSteps, mainTerminal } from '../support/processes/console-blocks.ts';
import { eventually } from '../support/processes/eventually.ts';
import { stablePort } from '../support/processes/set-up.ts';
import { Terminal } from '../support/processes/terminal.ts';
import { startRabbit } from '../support/servers/rabbitmq.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/** Removes the headers that Node adds and those that differ per request. */
function essential(text: string): string {
  return text
    .replaceAll('\r', '')
    .replace(/^(?:X-Request-Id|Date|Content-Length|Connection|Keep-Alive): .*\n/gim, '')
    .trimEnd();
}

/** Replaces ids and dates, which differ from run to run. */
function timeless(text: string): string {
  return essential(text)
    .replace(uuid, '(id)')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '(date)');
}

describe('README.md', () => {
  it('shows the real output of every command', async () => {
    const steps = consoleSteps(readFileSync(`${repository}/README.md`, 'utf8'));
    expect(steps.length).to.be.greaterThan(10);
    await using resources = new AsyncDisposableStack();
    const rabbit = await startRabbit();
    resources.defer(() => rabbit.stop());
    const data = resources.use(new TemporaryFolder());
    const [gateway, mserv1, mserv2] = [await stablePort(), await stablePort(), await stablePort()];
    const addresses: readonly (readonly [string, string])[] = [
      ['127.0.0.1:5000', `127.0.0.1:${gateway}`],
      ['127.0.0.1:5001', `127.0.0.1:${mserv1}`],
      ['127.0.0.1:15672', new URL(rabbit.managementUrl).host],
    ];
    const env = {
      ...process.env,
      ENV_FILE: '',
      LOG_FORMAT: 'json',
      GATEWAY_PORT: String(gateway),
      MSERV1_PORT: String(mserv1),
      MSERV2_PORT: String(mserv2),
      MSERV1_URL: `127.0.0.1:${mserv1}`,
      MSERV2_URL: `127.0.0.1:${mserv2}`,
      RABBITMQ_URL: rabbit.url,
      LEDGER_URL: `sqlite:${data.join('solicitudes.db')}`,
    };
    /** Maps each id in README to the id of this run. */
    const ids = new Map<string, string>();
    const ofThisRun = (text: string): string =>
      addresses
        .reduce((all, [printed, real]) => all.replaceAll(printed, real), text)
        .replace(uuid, (id) => ids.get(id) ?? id);
    const terminals = new Map<string, Terminal>();
    /** Waits until the gateway reports mserv1 in this state, as a reader would. */
    const untilReported = (state: string): Promise<void> =>
      eventually(async () => {
        const salud = await fetch(`http://127.0.0.1:${gateway}/salud`).then((answer) => answer.text());
        return salud.includes(`"mserv1":{"estado":"${state}"`);
      });
    const open = (terminal: string, command: string): Terminal => {
      const opened = resources.use(new Terminal(ofThisRun(command), env, repository));
      terminals.set(terminal, opened);
      return opened;
    };

    // The first block needs the processes of `npm start`; the walk-through starts the same ones, so the block runs after them.
    const [walk, first] = [steps.slice(2), steps.slice(0, 2)];
    const ready =
      walk.findLastIndex((step) => step.kind === 'command' && step.command === 'npm run gateway') + 1;
    for (const step of [...walk.slice(0, ready), ...first, ...walk.slice(ready)]) {
      if (step.kind === 'interrupt') {
        await terminals.get(step.terminal)?.interrupt();
        await untilReported('caido');
      } else if (step.kind === 'output') {
        const printed = await terminals.get(step.terminal)?.end();
        expect(timeless(printed ?? '')).to.equal(timeless(ofThisRun(step.output)));
      } else if (step.terminal === 'broker') {
        // The test has started its own RabbitMQ node, so that the developer's data stays unchanged.
        expect(step.command).to.equal('npm run broker');
      } else if (step.terminal !== mainTerminal) {
        const opened = open(step.terminal, step.command);
        if (!step.command.includes('npm run')) continue;
        await opened.printed('"msg":"ready"');
        if (step.command === 'npm run mserv1' && terminals.has('gateway')) await untilReported('sano');
      } else {
        // The management UI's figures are some seconds old.
        const delayed = step.command.includes(':15672');
        let printed = '';
        await eventually(async () => {
          printed = await open(mainTerminal, step.command).end();
          return !delayed || timeless(printed) === timeless(ofThisRun(step.output));
        });
        expect(timeless(printed), step.command).to.equal(timeless(ofThisRun(step.output)));
        const real = essential(printed).match(uuid) ?? [];
        for (const [n, id] of (essential(step.output).match(uuid) ?? []).entries())
          ids.set(id, real[n] ?? id);
      }
    }
  });
});

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { TemporaryFolder } from '../support/files/temporary-folder.ts';
import { consoleSteps, mainTerminal } from '../support/processes/console-blocks.ts';
import { eventually } from '../support/processes/eventually.ts';
import { quietPort } from '../support/processes/set-up.ts';
import { Terminal } from '../support/processes/terminal.ts';
import { startRabbit } from '../support/servers/rabbitmq.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/** Without the headers that are Node's, or of one request only. */
function essential(text: string): string {
  return text
    .replaceAll('\r', '')
    .replace(/^(?:X-Request-Id|Date|Content-Length|Connection|Keep-Alive): .*\n/gim, '')
    .trimEnd();
}

/** Without what differs from one time to the next. */
function timeless(text: string): string {
  return essential(text)
    .replace(uuid, '(id)')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '(date)');
}

describe('README.md', () => {
  it('is true: every command prints what it says there', async () => {
    const steps = consoleSteps(readFileSync(`${repository}/README.md`, 'utf8'));
    expect(steps.length).to.be.greaterThan(10);
    await using things = new AsyncDisposableStack();
    const rabbit = await startRabbit();
    things.defer(() => rabbit.stop());
    const data = things.use(new TemporaryFolder());
    const [gateway, mserv1, mserv2] = [await quietPort(), await quietPort(), await quietPort()];
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
    /** README's ids, and what they are this time. */
    const ids = new Map<string, string>();
    const here = (text: string): string =>
      addresses
        .reduce((all, [printed, real]) => all.replaceAll(printed, real), text)
        .replace(uuid, (id) => ids.get(id) ?? id);
    const terminals = new Map<string, Terminal>();
    /** As the reader's eye would: the gateway has noticed what became of a service. */
    const noticed = (state: string): Promise<void> =>
      eventually(async () => {
        const salud = await fetch(`http://127.0.0.1:${gateway}/salud`).then((answer) => answer.text());
        return salud.includes(`"mserv1":{"estado":"${state}"`);
      });
    const open = (terminal: string, command: string): Terminal => {
      const opened = things.use(new Terminal(here(command), env, repository));
      terminals.set(terminal, opened);
      return opened;
    };

    // The first block is what a reader tries after `npm start`; here the walk-through starts the same processes.
    const [walk, first] = [steps.slice(2), steps.slice(0, 2)];
    const ready =
      walk.findLastIndex((step) => step.kind === 'command' && step.command === 'npm run gateway') + 1;
    for (const step of [...walk.slice(0, ready), ...first, ...walk.slice(ready)]) {
      if (step.kind === 'interrupt') {
        await terminals.get(step.terminal)?.interrupt();
        await noticed('caido');
      } else if (step.kind === 'output') {
        const printed = await terminals.get(step.terminal)?.end();
        expect(timeless(printed ?? '')).to.equal(timeless(here(step.output)));
      } else if (step.terminal === 'broker') {
        // A node of the test's own, so that the reader's data stays as it is.
        expect(step.command).to.equal('npm run broker');
      } else if (step.terminal !== mainTerminal) {
        const opened = open(step.terminal, step.command);
        if (!step.command.includes('npm run')) continue;
        await opened.printed('"msg":"ready"');
        if (step.command === 'npm run mserv1' && terminals.has('gateway')) await noticed('sano');
      } else {
        // The management UI's numbers are some seconds old.
        const late = step.command.includes(':15672');
        let printed = '';
        await eventually(async () => {
          printed = await open(mainTerminal, step.command).end();
          return !late || timeless(printed) === timeless(here(step.output));
        });
        expect(timeless(printed), step.command).to.equal(timeless(here(step.output)));
        const real = essential(printed).match(uuid) ?? [];
        for (const [n, id] of (essential(step.output).match(uuid) ?? []).entries())
          ids.set(id, real[n] ?? id);
      }
    }
  });
});

import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { eventually } from '../support/processes/eventually.ts';
import { Terminal } from '../support/processes/terminal.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));

/** Runs the demo in a terminal; its exit code is the last output, also after Ctrl-C. */
const demo = (options: string): Terminal =>
  new Terminal(
    `trap : INT; "${process.execPath}" scripts/launch.mjs scripts/demo.ts --quick ${options}; echo "code $?"`,
    { PATH: process.env['PATH'], HOME: process.env['HOME'], TMPDIR: process.env['TMPDIR'] },
    repository,
  );
/** Returns the output of the command that begins with `command`. */
const outputOf = (text: string, command: string): string =>
  text.split(`$ ${command}`)[1]?.split('\n\n')[0]?.split('\n').slice(1).join('\n') ?? '';

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('npm run demo', () => {
  it('shows a queued request on its own RabbitMQ', async () => {
    const text = await demo('').end();
    expect(text).to.match(/code 0\n$/);
    expect(text)
      .to.include('HTTP/1.1 202 Accepted')
      .and.include('\n"messages":1\n')
      .and.include('"estado":"completada"');
    const recipes = '["Jalapeños en vinagre.md","Tortilla española.md","Ñoquis.md"]';
    expect(text.split(recipes), 'the direct answer, and the later one').to.have.length(3);
    expect(text).to.include(
      '["2026","Fotos","LÉEME.txt","Música","Proyectos","Recetas","último informe.md"]',
    );
  });

  it('shows a queued request without RabbitMQ, and how to install it', async () => {
    const text = await demo('--no-broker').end();
    expect(text).to.match(/code 0\n$/);
    expect(text).to.include('the ledger alone keeps the requests').and.include('To install it:');
    expect(outputOf(text, "curl -s 'http")).not.to.equal('');
    expect(text).to.include('"estado":"aceptada"').and.include('"estado":"completada"');
  });

  it('loses no request in `catastrofe`', async () => {
    const text = await demo('catastrofe').end();
    expect(text).to.match(/code 0\n$/);
    expect(outputOf(text, 'grep -c')).to.equal('500');
    expect(text).to.include('\n500/500, 0 lost');
  });

  it('leaves no process and no folder when it is interrupted', async () => {
    await using terminal = demo('catastrofe');
    await terminal.printed('$ kill -9 ');
    const folder = dirname(/-D (\S+)/.exec(terminal.output)?.[1] ?? '');
    expect(existsSync(folder)).to.equal(true);
    // npm passes Ctrl-C on, so one Ctrl-C arrives as two signals.
    await Promise.all([terminal.interrupt(), terminal.interrupt()]);
    expect(terminal.output).to.match(/code 130\n$/);
    expect(existsSync(folder)).to.equal(false);
    const pids = /kill -9 ([\d ]+)/.exec(terminal.output)?.[1]?.split(' ').map(Number) ?? [];
    expect(pids).to.have.length(3);
    await eventually(() => !pids.some(isAlive));
  });

  it('prints its usage for an unknown argument', async () => {
    const text = await demo('catastrophe').end();
    expect(text)
      .to.include('npm run demo [-- catastrofe]')
      .and.match(/code 1\n$/);
  });
});

import Mocha from 'mocha';

const endMs = 30_000;

/** Mocha's `spec` reporter with a last line that scripts can find: `123 passed, 0 failed`. */
class SpecWithTotals extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options?: Mocha.MochaOptions) {
    super(runner, options);
    if (process.env['TEST_LANE'] === undefined) return;
    // test/run.ts hides these lines. It shows the last one when this process prints nothing for too long.
    const { log } = console;
    const tell = (runnable: Mocha.Runnable): void => log(`running: ${runnable.fullTitle()}`);
    runner.on('hook', tell).on('test', tell);
  }

  override epilogue(): void {
    super.epilogue();
    Mocha.reporters.Base.consoleLog(`${this.stats.passes} passed, ${this.stats.failures} failed`);
    setTimeout(endLate, endMs).unref();
  }
}

/** Ends this process with a failure when a leaked handle keeps it alive after the last test. */
function endLate(): void {
  const open = process.getActiveResourcesInfo().join(', ');
  Mocha.reporters.Base.consoleLog(`The tests are over but this process does not end. Open handles: ${open}`);
  // Mocha's own handler of this event also sets the code, and runs before this one.
  process.once('exit', () => {
    process.exitCode = 1;
  });
  process.exit(1);
}

// Mocha loads its reporter with `require`.
export { SpecWithTotals as 'module.exports' };

import Mocha from 'mocha';

/** Mocha's `spec`, with a last line that is easy to find: `123 passed, 0 failed`. */
class SpecWithTotals extends Mocha.reporters.Spec {
  override epilogue(): void {
    super.epilogue();
    Mocha.reporters.Base.consoleLog(`${this.stats.passes} passed, ${this.stats.failures} failed`);
  }
}

// Mocha loads its reporter with `require`.
export { SpecWithTotals as 'module.exports' };

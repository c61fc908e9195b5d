import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const repository = fileURLToPath(new URL('../..', import.meta.url));

interface Ended {
  readonly code: unknown;
  readonly stdout: string;
  readonly stderr: string;
}

function run(...args: readonly string[]): Promise<Ended> {
  const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], ENV_FILE: '' };
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: repository, env }, (error, stdout, stderr) => {
      resolve({ code: error?.code ?? 0, stdout, stderr });
    });
  });
}

/** The programs, the beginning of their usage, and a misspelt option with the right spelling, if they have one. */
const programs: Readonly<Record<string, readonly [usage: string, misspelt?: string, right?: string]>> = {
  'gateway/main.ts': ['npm run gateway'],
  'mserv1/main.ts': ['npm run mserv1'],
  'mserv2/main.ts': ['npm run mserv2'],
  'scripts/broker.ts': ['npm run broker'],
  'scripts/certs.ts': ['npm run certs', '--day', '--days'],
  'scripts/demo.ts': ['npm run demo', '--nobroker', '--no-broker'],
  'scripts/doctor.ts': ['npm run doctor'],
  'scripts/generate.ts': ['npm run generate', '--chek', '--check'],
  'scripts/launch.mjs': ['node scripts/launch.mjs', '--developement', '--development'],
  'scripts/setup.mjs': ['node scripts/setup.mjs', '--tests', '--test'],
  'scripts/start.ts': ['npm start', '--rot', '--root'],
  'scripts/user.ts': ['npm run user', '--scope', '--scopes'],
};

describe('the command line of', () => {
  for (const [program, [usage, misspelt = '--hepl', right = '--help']] of Object.entries(programs)) {
    it(`${program} has a usage, and corrects ${misspelt} to ${right}`, async () => {
      const [help, wrong] = await Promise.all([run(program, '--help'), run(program, misspelt)]);
      expect(help).to.deep.include({ code: 0, stderr: '' });
      expect(help.stdout.startsWith(usage), help.stdout).to.equal(true);
      expect(wrong).to.deep.include({ code: 1, stdout: '' });
      expect(wrong.stderr).to.equal(
        `Unknown option '${misspelt}'. Did you mean '${right}'?\n\n${help.stdout}`,
      );
    });
  }

  it('a process takes no arguments that are no options', async () => {
    const { code, stderr } = await run('mserv1/main.ts', 'start');
    expect(code).to.equal(1);
    expect(stderr).to.match(/^Unexpected argument 'start'/);
  });
});

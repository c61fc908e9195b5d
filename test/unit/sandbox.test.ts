import { readdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { TemporaryFolder } from '../support/files/temporary-folder.ts';

describe('the sandbox of `npm test`', () => {
  const repository = fileURLToPath(new URL('../..', import.meta.url));

  for (const folder of ['/', repository, homedir(), '/tmp', '/dev']) {
    it(`refuses to write in ${folder}`, function () {
      // test/run.ts prints on its first line whether the sandbox is in force.
      if (process.env['TEST_SANDBOX'] !== 'read-only') this.skip();
      const file = join(folder, `archivero-sandbox-${process.pid}`);
      expect(() => writeFileSync(file, '', { flag: 'wx' })).to.throw('EROFS');
    });
  }

  it('lets a test write in its temporary folder', () => {
    using folder = new TemporaryFolder();
    writeFileSync(folder.join('a'), '');
    expect(readdirSync(folder.path)).to.deep.equal(['a']);
  });
});

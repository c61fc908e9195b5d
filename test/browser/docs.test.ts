import { expect } from 'chai';
import { type Browser, chromium } from 'playwright-core';
import { findChromium } from '../../scripts/chromium-install.mjs';
import { type SetUp, setUp } from '../support/processes/set-up.ts';

describe('/docs in a browser', () => {
  let archivero: SetUp;
  let browser: Browser;
  before(async () => {
    archivero = await setUp({ running: ['mserv1', 'gateway'] });
    browser = await chromium.launch({
      executablePath: findChromium() ?? 'chromium',
      args: ['--no-sandbox'],
      timeout: 0,
    });
  });
  after(async () => {
    await browser.close();
    await archivero[Symbol.asyncDispose]();
  });

  for (const prefix of ['', '/v1']) {
    it(`shows every operation, runs one, and loads nothing from another host at ${prefix}/docs`, async () => {
      const page = await browser.newPage();
      // The test's time-out is the bound.
      page.setDefaultTimeout(0);
      const warnings: string[] = [];
      const requested: string[] = [];
      page.on('console', (message) => {
        if (['error', 'warning'].includes(message.type())) warnings.push(message.text());
      });
      page.on('pageerror', (error) => warnings.push(String(error)));
      page.on('request', (request) => requested.push(request.url()));
      await page.goto(`${archivero.url}${prefix}/docs`);
      await page.locator('.opblock').first().waitFor();
      expect(await page.locator('.opblock').count()).to.be.above(20);

      const alive = page.locator('.opblock', { has: page.locator('[data-path="/salud/viva"]') });
      await alive.locator('.opblock-summary-control').click();
      await alive.getByRole('button', { name: 'Try it out' }).click();
      await alive.getByRole('button', { name: 'Execute' }).click();
      const body = alive.locator('.live-responses-table .microlight').first();
      await body.waitFor();
      expect(await body.textContent()).to.include('"viva"');
      expect(requested).to.include(`${archivero.url}${prefix}/salud/viva`);
      const foreign = requested.filter((url) => !url.startsWith(archivero.url) && !url.startsWith('data:'));
      expect(foreign).to.deep.equal([]);
      expect(warnings).to.deep.equal([]);
      await page.close();
    });
  }
});

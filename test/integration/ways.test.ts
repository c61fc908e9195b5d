import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { uniqueName } from '../support/clients/amqp-asker.ts';
import { accepted, answerAt } from '../support/ledger/accepted.ts';
import { ownVhost, setUp } from '../support/processes/set-up.ts';
import { sharedRabbit } from '../support/servers/rabbitmq.ts';

describe('the ways to an answer', () => {
  it('calls a service that does not consume its queue, although the broker is there', async () => {
    const { url } = await ownVhost(await sharedRabbit());
    await using it = await setUp({ running: [], env: { RABBITMQ_URL: url } });
    writeFileSync(join(it.root, 'uno'), '1');
    await it.start('mserv1', { RABBITMQ_URL: '' });
    await it.start('gateway');
    const where = await Promise.all(
      Array.from({ length: 20 }, () => accepted(it, '/listar_archivos', { prefer: 'respond-async' })),
    );
    for (const path of where) expect((await answerAt(it, path)).status).to.equal(200);
  });

  it('calls a service while the replies of the queue cannot be taken', async () => {
    const rabbit = await sharedRabbit();
    const { url } = await ownVhost(rabbit);
    const barred = new URL(url);
    [barred.username, barred.password] = [uniqueName(), 'secreto'];
    const { username, password, pathname } = barred;
    await rabbit.ctl('add_user', username, password);
    try {
      await rabbit.ctl(
        'set_permissions',
        '-p',
        pathname.slice(1),
        username,
        '.*',
        '.*',
        '^archivero[.]mserv',
      );
      await using it = await setUp({ env: { RABBITMQ_URL: url }, running: ['mserv1'] });
      await it.start('gateway', { RABBITMQ_URL: barred.href });
      const path = await accepted(it, '/listar_archivos', { prefer: 'respond-async' });
      expect((await answerAt(it, path)).status).to.equal(200);
    } finally {
      await rabbit.ctl('delete_user', username);
    }
  });
});

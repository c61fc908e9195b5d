import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { uniqueName } from '../support/clients/amqp-requester.ts';
import { accepted, answerAt } from '../support/ledger/accepted.ts';
import { ownVhost, setUp } from '../support/processes/set-up.ts';
import { sharedRabbit } from '../support/servers/rabbitmq.ts';

describe('The dispatcher', () => {
  it('takes the direct route when a service does not consume its queue', async () => {
    const { url } = await ownVhost(await sharedRabbit());
    await using it = await setUp({ running: [], env: { RABBITMQ_URL: url } });
    writeFileSync(join(it.root, 'uno'), '1');
    await it.start('mserv1', { RABBITMQ_URL: '' });
    await it.start('gateway');
    const answerPaths = await Promise.all(
      Array.from({ length: 20 }, () => accepted(it, '/listar_archivos', { prefer: 'respond-async' })),
    );
    for (const path of answerPaths) expect((await answerAt(it, path)).status).to.equal(200);
  });

  it('takes the direct route while the reply queue cannot be consumed', async () => {
    const rabbit = await sharedRabbit();
    const { url } = await ownVhost(rabbit);
    const restricted = new URL(url);
    [restricted.username, restricted.password] = [uniqueName(), 'secreto'];
    const { username, password, pathname } = restricted;
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
      await it.start('gateway', { RABBITMQ_URL: restricted.href });
      const path = await accepted(it, '/listar_archivos', { prefer: 'respond-async' });
      expect((await answerAt(it, path)).status).to.equal(200);
    } finally {
      await rabbit.ctl('delete_user', username);
    }
  });
});

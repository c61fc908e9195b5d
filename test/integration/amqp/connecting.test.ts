import { expect } from 'chai';
import { pino } from 'pino';
import { createManagement } from '../../../gateway/colas/management.ts';
import { type Link, openLink } from '../../../runtime/amqp/link.ts';
import { silent, uniqueName } from '../../support/clients/amqp-requester.ts';
import { eventually, until } from '../../support/processes/eventually.ts';
import { type Rabbit, sharedRabbit } from '../../support/servers/rabbitmq.ts';

describe('Connecting to RabbitMQ', () => {
  let rabbit: Rabbit;
  let user: string;
  let vhost: string;
  const links: Link[] = [];

  before(async () => {
    rabbit = await sharedRabbit();
  });

  beforeEach(async () => {
    user = uniqueName();
    vhost = uniqueName();
    await addUser(user, 'secreto');
    await addVhost(vhost);
  });

  afterEach(async () => {
    await Promise.all(links.splice(0).map((link) => link.stop()));
  });

  /** Asks the management API, which is much faster than `rabbitmqctl`. */
  async function manage(method: 'PUT' | 'DELETE', path: readonly string[], body?: unknown): Promise<void> {
    const { origin, username, password } = new URL(rabbit.managementUrl);
    const answer = await fetch(`${origin}/api/${path.map(encodeURIComponent).join('/')}`, {
      method,
      headers: {
        authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
        'content-type': 'application/json',
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  }
  const addUser = (name: string, password: string) =>
    manage('PUT', ['users', name], { password, tags: 'monitoring' });
  const addVhost = (name: string) => manage('PUT', ['vhosts', name], {});
  const allow = (name: string, path: string) =>
    manage('PUT', ['permissions', path, name], { configure: '.*', write: '.*', read: '.*' });
  const limitConnections = (of: 'vhost-limits' | 'user-limits', name: string) =>
    manage('PUT', [of, name, 'max-connections'], { value: 0 });

  const urlOf = (name: string, password: string, path: string): string =>
    `amqp://${name}:${password}@127.0.0.1:${rabbit.port}/${path}`;

  function open(url: string): Link {
    const link = openLink({ url, name: 'archivero test link', log: silent, setup: async () => {} });
    links.push(link);
    return link;
  }

  /** Resolves with the reason of the first failed attempt. */
  async function failureOf(url: string): Promise<string> {
    const link = open(url);
    await until(link, () => link.state.kind === 'connecting' && link.state.failure !== undefined);
    return (link.state.kind === 'connecting' && link.state.failure) || '';
  }

  describe('with a user, a password and a virtual host that are not ASCII', () => {
    const password = 'contraseña €100%/@:';
    let name: string;
    let path: string;

    beforeEach(async () => {
      name = `${user}.señor`;
      path = `${vhost}/años`;
      await addUser(name, password);
      await addVhost(path);
      await allow(name, path);
    });

    it('decodes percent-encoded parts as UTF-8', async () => {
      const link = open(
        urlOf(...([name, password, path].map(encodeURIComponent) as [string, string, string])),
      );
      await until(link, () => link.state.kind === 'ready');
    });

    it('takes letters and a lone % as they are written', async () => {
      const link = open(urlOf(name, 'contraseña €100%%2F%40%3A', path.replace('/', '%2F')));
      await until(link, () => link.state.kind === 'ready');
    });

    it('asks the management API in the same way', async () => {
      const [login, secret, virtualHost] = [name, password, path].map(encodeURIComponent);
      const managementUrl = rabbit.managementUrl.replace('guest:guest', `${login}:${secret}`);
      const management = createManagement(managementUrl, `amqp://127.0.0.1/${virtualHost}`, silent);
      await eventually(async () => (await management.queues())?.length === 0);
    });
  });

  describe('reports the reason of RabbitMQ', () => {
    it('when the virtual host does not exist', async () => {
      expect(await failureOf(urlOf(user, 'secreto', 'nada'))).to.match(/^NOT_ALLOWED - .*nada.*not found/);
    });

    it('when the user may not use the virtual host', async () => {
      expect(await failureOf(urlOf(user, 'secreto', vhost))).to.equal(
        `NOT_ALLOWED - access to vhost '${vhost}' refused for user '${user}'`,
      );
    });

    it('when the virtual host has no connections left', async () => {
      await allow(user, vhost);
      await limitConnections('vhost-limits', vhost);
      expect(await failureOf(urlOf(user, 'secreto', vhost))).to.match(
        /^NOT_ALLOWED - .*connection limit \(0\)/,
      );
    });

    it('when the user has no connections left', async () => {
      await allow(user, vhost);
      await limitConnections('user-limits', user);
      expect(await failureOf(urlOf(user, 'secreto', vhost))).to.match(
        /^NOT_ALLOWED - .*connection limit \(0\)/,
      );
    });

    it('when the password is wrong', async () => {
      expect(await failureOf(urlOf(user, 'otro', vhost))).to.match(/^ACCESS_REFUSED - Login was refused/);
    });

    it('when the user is deleted while connected', async () => {
      await allow(user, vhost);
      const link = open(urlOf(user, 'secreto', vhost));
      await until(link, () => link.state.kind === 'ready');
      const reasons: string[] = [];
      link.subscribe((state) => {
        if (state.kind === 'connecting') reasons.push(state.failure ?? '');
      });
      await manage('DELETE', ['users', user]);
      await until(link, () => reasons.length > 1);
      expect(reasons[0]).to.match(/^CONNECTION_FORCED - /);
      expect(reasons[1]).to.match(/^ACCESS_REFUSED - /);
    });
  });

  it('logs a reason that lasts again and again, each time after a longer pause', async () => {
    const lines: string[] = [];
    const link = openLink({
      url: urlOf(user, 'secreto', vhost),
      name: 'archivero test link',
      log: pino({}, { write: (line: string) => void lines.push(line) }),
      setup: async () => {},
      remindAfterMs: 1,
    });
    links.push(link);
    const refusals = (): string[] => lines.filter((line) => line.includes('NOT_ALLOWED - access to vhost'));
    await eventually(() => refusals().length >= 3);
    expect(lines.join('')).not.to.include('secreto');
  });
});

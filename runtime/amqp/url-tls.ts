import { pemFile, readTls, type TlsMaterial } from '../tls.ts';

/**
 * Reads the files that an `amqps://` URL names, with the parameters of RabbitMQ's own clients
 * (https://www.rabbitmq.com/docs/uri-query-parameters): `cacertfile`, `certfile`, `keyfile`. They are read for every
 * connection, because they may have been renewed. Throws a `ConfigError`.
 */
export function tlsOfUrl(url: string): TlsMaterial {
  const { protocol, searchParams } = new URL(url);
  if (protocol !== 'amqps:') return {};
  const file = (name: string) => pemFile('RABBITMQ_URL', searchParams.get(name) ?? undefined);
  return readTls({ ca: file('cacertfile'), cert: file('certfile'), key: file('keyfile') });
}

import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

/** Returns distinct loopback ports that were free a moment ago. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, () => bound(0, '127.0.0.1')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(
    servers.map((server) => {
      server.close();
      return once(server, 'close');
    }),
  );
  return ports;
}

/** Rejects as `listen` does when the port cannot be bound (EADDRINUSE, EACCES); otherwise leaves it free. */
export async function assertFree(port: number, host: string): Promise<void> {
  const server = await bound(port, host);
  server.close();
  await once(server, 'close');
}

async function bound(port: number, host: string) {
  const server = createServer().listen({ port, host, exclusive: true });
  await once(server, 'listening');
  return server;
}

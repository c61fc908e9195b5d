import { type ProcessName, stablePort } from '../../support/processes/set-up.ts';
import type { DeploymentOptions } from './deployment.ts';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';

/** A running program: `mserv1`; `mserv1#2` is a second process of the same program. */
export type Instance = ProcessName | `${ProcessName}#${number}`;
export type ProxyName =
  | `${ProcessName}-broker`
  | 'gateway-mserv1'
  | 'gateway-mserv2'
  | 'gateway-postgres'
  | 'client-gateway';

/** Ports, environments and proxies of the processes. */
export interface Wiring {
  /** Base URL of the gateway for clients. */
  readonly url: string;
  /** Throws when the scenario does not list this proxy. */
  proxy(name: ProxyName): FaultProxy;
  /** Cancels the armed faults of all proxies. */
  disarm(): void;
  /** Returns the port of a process, always the same. */
  portOf(name: Instance): Promise<number>;
  envOf(name: Instance): Promise<Record<string, string>>;
  stop(): Promise<void>;
}

export interface WiringParts {
  readonly root: string;
  readonly ledgerUrl: string;
  /** Undefined without a broker. */
  readonly brokerUrl: string | undefined;
  /** Ports of the servers; undefined for one that is not used. */
  readonly targets: { readonly broker: number | undefined; readonly postgres: number | undefined };
}

export async function createWiring(
  options: Pick<DeploymentOptions, 'proxies' | 'replicas' | 'env'>,
  { root, ledgerUrl, brokerUrl, targets }: WiringParts,
): Promise<Wiring> {
  /** Promises, because callers are concurrent. */
  const ports = new Map<Instance, Promise<number>>();
  const proxies = new Map<ProxyName, FaultProxy>();

  function portOf(name: Instance): Promise<number> {
    const port = ports.get(name) ?? stablePort();
    ports.set(name, port);
    return port;
  }

  async function addressesOf(service: 'mserv1' | 'mserv2'): Promise<string> {
    const first = `127.0.0.1:${proxies.get(`gateway-${service}`)?.port ?? (await portOf(service))}`;
    return options.replicas === true ? `${first},127.0.0.1:${await portOf(`${service}#2`)}` : first;
  }

  for (const name of options.proxies ?? []) {
    const to = name.slice(name.indexOf('-') + 1) as 'broker' | 'postgres' | ProcessName;
    const target = to === 'broker' || to === 'postgres' ? targets[to] : await portOf(to);
    if (target === undefined) throw new TypeError(`${name}: this deployment has no ${to}`);
    proxies.set(name, await startFaultProxy(target, to === 'broker' ? 'amqp' : 'other'));
  }

  return {
    url: `http://127.0.0.1:${proxies.get('client-gateway')?.port ?? (await portOf('gateway'))}`,
    proxy(name) {
      const proxy = proxies.get(name);
      if (proxy === undefined) throw new Error(`${name} has no proxy: add it to the scenario's proxies`);
      return proxy;
    },
    disarm() {
      for (const proxy of proxies.values()) proxy.disarm();
    },
    portOf,
    async envOf(name) {
      const program = programOf(name);
      return {
        FILES_ROOT: root,
        LEDGER_URL: throughProxy(ledgerUrl, proxies.get('gateway-postgres')),
        RABBITMQ_URL: throughProxy(brokerUrl ?? '', proxies.get(`${program}-broker`)),
        [`${program.toUpperCase()}_PORT`]: String(await portOf(name)),
        MSERV1_URL: await addressesOf('mserv1'),
        MSERV2_URL: await addressesOf('mserv2'),
        ...options.env,
      };
    },
    async stop() {
      await Promise.all([...proxies.values()].map((proxy) => proxy.stop()));
    },
  };
}

/** Returns a server's URL with the port of its proxy, if it has one. */
function throughProxy(url: string, proxy: FaultProxy | undefined): string {
  if (proxy === undefined) return url;
  const through = new URL(url);
  through.port = String(proxy.port);
  return through.href;
}

export function programOf(name: Instance): ProcessName {
  return name.replace(/#.*/, '') as ProcessName;
}

import { quietPort } from '../../support/processes/set-up.ts';
import { type Link, openLink } from './link.ts';
import type { WorldOptions } from './world.ts';

export type Program = 'gateway' | 'mserv1' | 'mserv2';
/** A process: `mserv1`, and beside it a second one of the same program, `mserv1#2`. */
export type Instance = Program | `${Program}#${number}`;
export type LinkName =
  | `${Program}-broker`
  | 'gateway-mserv1'
  | 'gateway-mserv2'
  | 'gateway-postgres'
  | 'client-gateway';

/** Who dials whom, and what stands in between. */
export interface Wiring {
  /** Of the gateway, for its clients. */
  readonly url: string;
  /** Throws when the scenario did not ask for that proxy. */
  link(name: LinkName): Link;
  /** No proxy has anything in store any more. */
  disarm(): void;
  /** The same whenever it is asked for. */
  portOf(name: Instance): Promise<number>;
  envOf(name: Instance): Promise<Record<string, string>>;
  stop(): Promise<void>;
}

export interface WiringParts {
  readonly root: string;
  readonly ledgerUrl: string;
  /** Undefined when there is none. */
  readonly brokerUrl: string | undefined;
  /** Their ports. */
  readonly targets: { readonly broker: number | undefined; readonly postgres: number | undefined };
}

export async function createWiring(
  options: Pick<WorldOptions, 'links' | 'replicas' | 'env'>,
  { root, ledgerUrl, brokerUrl, targets }: WiringParts,
): Promise<Wiring> {
  /** Promises, because several ask at once. */
  const ports = new Map<Instance, Promise<number>>();
  const links = new Map<LinkName, Link>();

  function portOf(name: Instance): Promise<number> {
    const port = ports.get(name) ?? quietPort();
    ports.set(name, port);
    return port;
  }

  async function dial(service: 'mserv1' | 'mserv2'): Promise<string> {
    const first = `127.0.0.1:${links.get(`gateway-${service}`)?.port ?? (await portOf(service))}`;
    return options.replicas === true ? `${first},127.0.0.1:${await portOf(`${service}#2`)}` : first;
  }

  for (const name of options.links ?? []) {
    const to = name.slice(name.indexOf('-') + 1) as 'broker' | 'postgres' | Program;
    const target = to === 'broker' || to === 'postgres' ? targets[to] : await portOf(to);
    if (target === undefined) throw new TypeError(`${name}: this world has no ${to}`);
    links.set(name, await openLink(target, to === 'broker' ? 'amqp' : 'other'));
  }

  return {
    url: `http://127.0.0.1:${links.get('client-gateway')?.port ?? (await portOf('gateway'))}`,
    link(name) {
      const link = links.get(name);
      if (link === undefined) throw new Error(`${name} has no proxy: name it in the scenario's links`);
      return link;
    },
    disarm() {
      for (const link of links.values()) link.disarm();
    },
    portOf,
    async envOf(name) {
      const program = programOf(name);
      return {
        FILES_ROOT: root,
        LEDGER_URL: throughLink(ledgerUrl, links.get('gateway-postgres')),
        RABBITMQ_URL: throughLink(brokerUrl ?? '', links.get(`${program}-broker`)),
        [`${program.toUpperCase()}_PORT`]: String(await portOf(name)),
        MSERV1_URL: await dial('mserv1'),
        MSERV2_URL: await dial('mserv2'),
        ...options.env,
      };
    },
    async stop() {
      await Promise.all([...links.values()].map((link) => link.stop()));
    },
  };
}

/** A URL of something on this machine, as one dials it who has a proxy in between. */
function throughLink(url: string, link: Link | undefined): string {
  if (link === undefined) return url;
  const through = new URL(url);
  through.port = String(link.port);
  return through.href;
}

export function programOf(name: Instance): Program {
  return name.replace(/#.*/, '') as Program;
}

import { ConfigError } from '../../runtime/env.ts';
import { type Binding, listenError } from '../../runtime/listen-error.ts';
import { assertFree } from '../free-ports.ts';
import { type Finding, fine, told, wrong } from './finding.ts';
import { portHolder } from './port-holder.ts';

/** Whether a process of ours could listen there, or does. `answers` says whether it is one of ours that does. */
export async function checkPort(
  name: string,
  binding: Binding,
  answers: () => Promise<boolean>,
): Promise<Finding> {
  const { host, port } = binding;
  try {
    await assertFree(port, host);
    return fine(`${name}: port ${port} of ${host} is free`);
  } catch (error) {
    const explained = listenError(error, binding);
    const text =
      explained instanceof ConfigError
        ? explained.problems.map(({ variable, problem }) => `${variable}: ${problem}`).join('; ')
        : told(error);
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE')
      return wrong(`${name}: ${text}`, 'Set another one.');
    if (await answers()) return fine(`${name} answers at port ${port} of ${host}`);
    const holder = portHolder(port) ?? 'a process that cannot be seen from here (try as root)';
    return wrong(
      `${name}: port ${port} of ${host} is in use by ${holder}, which does not answer as ${name} does`,
      `Stop it, or set ${binding.portVariable} to another port.`,
    );
  }
}

/** Whether it is a gateway of ours that answers there. */
export async function isGateway(binding: Binding): Promise<boolean> {
  try {
    const url = `http://${urlHost(binding)}/salud/viva`;
    const answer = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    return ((await answer.json()) as { estado?: unknown }).estado === 'viva';
  } catch {
    return false;
  }
}

/** `host:port` as it is dialled from this machine. */
export function urlHost({ host, port }: Pick<Binding, 'host' | 'port'>): string {
  const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
}

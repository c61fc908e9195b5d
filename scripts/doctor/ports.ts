import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { text } from 'node:stream/consumers';
import { ConfigError } from '../../runtime/env.ts';
import { type Binding, listenError } from '../../runtime/listen-error.ts';
import type { TlsFiles } from '../../runtime/tls.ts';
import { dialledAddress } from '../dialled-address.ts';
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
    const problem =
      explained instanceof ConfigError
        ? explained.problems.map(({ variable, problem }) => `${variable}: ${problem}`).join('; ')
        : told(error);
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE')
      return wrong(`${name}: ${problem}`, 'Set another one.');
    if (await answers()) return fine(`${name} answers at port ${port} of ${host}`);
    const holder = portHolder(port) ?? 'a process that cannot be seen from here (try as root)';
    return wrong(
      `${name}: port ${port} of ${host} is in use by ${holder}, which does not answer as ${name} does`,
      `Stop it, or set ${binding.portVariable} to another port.`,
    );
  }
}

/** Whether it is a gateway of ours that answers there, by HTTP or, with a certificate of its own, by HTTPS. */
export async function isGateway(binding: Binding, tls: TlsFiles | undefined): Promise<boolean> {
  const path = `${dialledAddress(binding)}/salud/viva`;
  try {
    const answer = await (tls === undefined ? overHttp(`http://${path}`) : overHttps(`https://${path}`));
    return (JSON.parse(answer) as { estado?: unknown }).estado === 'viva';
  } catch {
    return false;
  }
}

const answerMs = 2_000;

async function overHttp(url: string): Promise<string> {
  return (await fetch(url, { signal: AbortSignal.timeout(answerMs) })).text();
}

/** Whichever certificate it shows, and for which name: nothing is told to it, and nothing that it says is used. */
async function overHttps(url: string): Promise<string> {
  const signal = AbortSignal.timeout(answerMs);
  const [answer] = (await once(
    get(url, { rejectUnauthorized: false, agent: false, signal }),
    'response',
  )) as [IncomingMessage];
  return text(answer);
}

import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { text } from 'node:stream/consumers';
import { ConfigError } from '../../runtime/env.ts';
import { type Binding, listenError } from '../../runtime/listen-error.ts';
import type { TlsFiles } from '../../runtime/tls.ts';
import { dialledAddress } from '../dialled-address.ts';
import { assertFree } from '../free-ports.ts';
import { type Finding, fine, messageOf, wrong } from './finding.ts';
import { portHolder } from './port-holder.ts';

/** Checks that a port is free, or that our own process listens on it; `answers` tests the latter. */
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
        : messageOf(error);
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE')
      return wrong(
        `${name}: ${problem}`,
        `Set ${binding.hostVariable} or ${binding.portVariable} to another value.`,
      );
    if (await answers()) return fine(`${name} answers at port ${port} of ${host}`);
    const holder = portHolder(port) ?? 'a process that cannot be seen from here (try as root)';
    return wrong(
      `${name}: port ${port} of ${host} is in use by ${holder}, which is not ${name}`,
      `Stop it, or set ${binding.portVariable} to another port.`,
    );
  }
}

/** Returns whether a gateway answers there, over HTTPS when it has a certificate. */
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

/** Accepts any certificate: nothing secret is sent, and the answer is used only to recognise a gateway. */
async function overHttps(url: string): Promise<string> {
  const signal = AbortSignal.timeout(answerMs);
  const [answer] = (await once(
    get(url, { rejectUnauthorized: false, agent: false, signal }),
    'response',
  )) as [IncomingMessage];
  return text(answer);
}

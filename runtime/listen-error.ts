import { ConfigError } from './env.ts';

/** What a door wanted to bind, and which variables say so. */
export interface Binding {
  readonly host: string;
  readonly port: number;
  readonly hostVariable: string;
  readonly portVariable: string;
}

/** Why a door could not be bound, in words that name the variable to change; other errors come back as they are. */
export function listenError(error: unknown, binding: Binding): unknown {
  const text = error instanceof Error ? error.message : String(error);
  const { host, port, hostVariable, portVariable } = binding;
  const wrong = (variable: string, problem: string): ConfigError =>
    new ConfigError([{ variable, problem }], { cause: error });
  if (text.includes('EADDRINUSE')) {
    const airPlay = process.platform === 'darwin' && (port === 5000 || port === 7000);
    const suspect = airPlay ? '; on macOS it is usually the AirPlay Receiver (System Settings, Sharing)' : '';
    return wrong(portVariable, `port ${port} of ${host} is already in use${suspect}. Set another one`);
  }
  if (text.includes('EACCES'))
    return wrong(portVariable, `port ${port} needs more rights than this process has`);
  if (text.includes('EADDRNOTAVAIL')) return wrong(hostVariable, `${host} is not an address of this machine`);
  if (/ENOTFOUND|EAI_AGAIN/.test(text)) return wrong(hostVariable, `${host} cannot be resolved`);
  return error;
}

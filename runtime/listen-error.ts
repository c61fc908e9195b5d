import { ConfigError } from './env.ts';

/** Address that a listener binds, and the variables that set it. */
export interface Binding {
  readonly host: string;
  readonly port: number;
  readonly hostVariable: string;
  readonly portVariable: string;
}

/**
 * Maps a failure to bind to a `ConfigError` that names the variable to change; returns other errors unchanged.
 */
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

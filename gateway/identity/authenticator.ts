import type { IncomingMessage } from 'node:http';
import type { Identity } from './scopes.ts';

/** An authenticated identity and the time until which its token is valid. */
export interface Verified {
  readonly identity: Identity;
  /** Milliseconds since 1970; infinity without a token. */
  readonly expiresAt: number;
}

/** Authenticates callers. A known token resolves synchronously, without a promise. */
export interface Authenticator {
  /**
   * Returns the caller of a request; undefined when the request carries no credentials.
   * @throws ProblemError `token-no-valido`, `identidad-no-disponible`
   */
  identify(req: IncomingMessage): Verified | undefined | Promise<Verified | undefined>;
  /** Authenticates a token sent outside the headers, as over a WebSocket. Undefined when no token is required. */
  readonly verify: ((token: string) => Verified | Promise<Verified>) | undefined;
}

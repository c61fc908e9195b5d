import type { IncomingMessage } from 'node:http';
import type { Identity } from './scopes.ts';

/** An identity for as long as its token is valid. */
export interface Verified {
  readonly identity: Identity;
  /** Milliseconds since 1970; infinite without a token. */
  readonly expiresAt: number;
}

/** Finds out who asks. What is known already is given at once and not in a promise. */
export interface Authenticator {
  /**
   * Whoever sent this request; undefined when it says nothing of that.
   * @throws ProblemError `token-no-valido`, `identidad-no-disponible`
   */
  identify(req: IncomingMessage): Verified | undefined | Promise<Verified | undefined>;
  /** The same by a token that came another way. Undefined where nobody needs one. */
  readonly verify: ((token: string) => Verified | Promise<Verified>) | undefined;
}

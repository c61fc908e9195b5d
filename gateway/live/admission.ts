import { ProblemError } from '../http/problem.ts';
import type { Authenticator, Verified } from '../identity/authenticator.ts';
import { invalidToken, missingScope, unauthenticated } from '../identity/challenge.ts';

export interface AdmissionOptions {
  /** Who asks, when the request said so. */
  readonly known: Verified | undefined;
  /** Undefined where nobody needs a token. */
  readonly verify: Authenticator['verify'];
  /** Gets what comes of those who were let in, and who that is. */
  readonly onText: (text: string, caller: string) => void;
  /** Once: nothing is taken any more. */
  readonly onRefused: (problem: ProblemError) => void;
  readonly onBug: (err: unknown) => void;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
}

/** How long a client may take to say who it is. */
const greetingMs = 5_000;
/** What a timer can hold. */
const longestMs = 2 ** 31 - 1;
const scope = 'archivos:leer';

/**
 * Lets a client in by the token of its first message, `{"token":"…"}`, unless its request brought one, until the token
 * expires; a message with another one goes on from there.
 *
 * @returns what takes the client's messages. Of those that come while a token is verified the newest is kept.
 */
export function createAdmission(options: AdmissionOptions): (text: string) => void {
  const { known, verify, onText, onRefused, onBug, signal } = options;
  let state: 'waiting' | 'checking' | 'open' | 'refused' = 'waiting';
  let newest: string | undefined;
  let caller = '';
  let timer: NodeJS.Timeout | undefined;

  function refuse(problem: ProblemError): void {
    if (state === 'refused') return;
    state = 'refused';
    clearTimeout(timer);
    onRefused(problem);
  }

  function admit({ identity, expiresAt }: Verified): void {
    if (!identity.scopes.has(scope)) {
      refuse(missingScope(scope));
      return;
    }
    state = 'open';
    caller = identity.id;
    clearTimeout(timer);
    if (Number.isFinite(expiresAt)) {
      timer = setTimeout(() => refuse(invalidToken()), Math.min(expiresAt - Date.now(), longestMs));
    }
    const text = newest;
    newest = undefined;
    if (text !== undefined) onText(text, caller);
  }

  async function check(token: string): Promise<void> {
    state = 'checking';
    try {
      const verified = await verify?.(token);
      if (!signal.aborted && verified !== undefined) admit(verified);
    } catch (thrown) {
      if (thrown instanceof ProblemError) refuse(thrown);
      else onBug(thrown);
    }
  }

  signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
  if (known !== undefined) admit(known);
  else timer = setTimeout(() => refuse(unauthenticated()), greetingMs);

  return (text) => {
    if (state === 'refused') return;
    const token = verify === undefined ? undefined : tokenOf(text);
    if (state === 'checking') {
      if (token === undefined) newest = text;
    } else if (token !== undefined) void check(token);
    else if (state === 'open') onText(text, caller);
    else refuse(unauthenticated());
  };
}

/** Of a message that has nothing else. */
function tokenOf(text: string): string | undefined {
  if (!text.includes('"token"')) return undefined;
  try {
    const { token, ...others } = JSON.parse(text);
    return typeof token === 'string' && Object.keys(others).length === 0 ? token : undefined;
  } catch {
    return undefined;
  }
}

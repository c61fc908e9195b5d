import { ProblemError } from '../http/problem.ts';
import type { Authenticator, Verified } from '../identity/authenticator.ts';
import { invalidToken, missingScope, unauthenticated } from '../identity/challenge.ts';

export interface AdmissionOptions {
  /** The caller, when the upgrade request carried credentials. */
  readonly known: Verified | undefined;
  /** Undefined when no token is required. */
  readonly verify: Authenticator['verify'];
  /** Receives each message of an admitted client, with its caller's id. */
  readonly onText: (text: string, caller: string) => void;
  /** Called once, when the client is refused. Later messages are ignored. */
  readonly onRefused: (problem: ProblemError) => void;
  readonly onBug: (err: unknown) => void;
  /** Aborts when the client disconnects. */
  readonly signal: AbortSignal;
}

/** Time for a client to send its token. */
const greetingMs = 5_000;
/** The longest delay of a timer. */
const maxTimerMs = 2 ** 31 - 1;
const scope = 'archivos:leer';

/**
 * Admits a client by the token of its first message, `{"token":"…"}`, unless the upgrade request carried one. Admission
 * ends when the token expires; a message with a new token extends it.
 *
 * @returns the handler of the client's messages. While a token is being verified it keeps only the newest message.
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
      timer = setTimeout(() => refuse(invalidToken()), Math.min(expiresAt - Date.now(), maxTimerMs));
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

/** Returns the token of a message that has no other member. */
function tokenOf(text: string): string | undefined {
  if (!text.includes('"token"')) return undefined;
  try {
    const { token, ...others } = JSON.parse(text);
    return typeof token === 'string' && Object.keys(others).length === 0 ? token : undefined;
  } catch {
    return undefined;
  }
}

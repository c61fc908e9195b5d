import type { Status } from '../../runtime/status.ts';

/**
 * A handler's answer to a request: a response, or a status of its own. A missing folder is a verdict, a refused connection
 * is not. Verdicts from calls and from the queue are alike, and one renderer makes HTTP answers of both.
 */
export type Verdict<Response = unknown> =
  | { readonly ok: true; readonly response: Response }
  | { readonly ok: false; readonly code: Exclude<Status, 0>; readonly message: string };

import type { Status } from '../../runtime/status.ts';

/**
 * What a handler said about a request: an answer, or a status of its own (a folder that does not exist is a verdict,
 * a refused connection is not). It is the same thing whichever door it came by, and one renderer makes HTTP of it.
 */
export type Verdict<Response = unknown> =
  | { readonly ok: true; readonly response: Response }
  | { readonly ok: false; readonly code: Exclude<Status, 0>; readonly message: string };

import { StatusError } from '../../../runtime/errors.ts';
import { statusName } from '../../../runtime/status.ts';

/** Returns `CODE reason` of the StatusError that a call rejects with, else `OK`. Rethrows any other error. */
export async function statusOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'OK';
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    return `${statusName(error.code)} ${error.reason}`;
  }
}

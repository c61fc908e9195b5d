import { StatusError } from '../../../runtime/errors.ts';
import { statusName } from '../../../runtime/status.ts';

/** `CODE reason` of the StatusError that a call ends with; any other error fails the test as it is. */
export async function statusOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'OK';
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    return `${statusName(error.code)} ${error.reason}`;
  }
}

/** Number of timers that a wait is divided into. */
const slices = 10;

/**
 * Returns the promise's value, or undefined after `ms`. The work is not cancelled; a rejection is passed on. Time in
 * which this process was suspended counts as a tenth at most, so that messages that arrived meanwhile are read first.
 */
export async function within<Value>(ms: number, promise: Promise<Value>): Promise<Value | undefined> {
  const late = Promise.withResolvers<undefined>();
  let left = slices;
  const pass = (): void => {
    left -= 1;
    if (left === 0) late.resolve(undefined);
    else timer = setTimeout(pass, ms / slices);
  };
  let timer = setTimeout(pass, ms / slices);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

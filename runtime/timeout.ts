/** Into so many parts a wait is divided. */
const slices = 10;

/**
 * What the promise gives, or undefined when it does not within `ms`. It is not cancelled, and its failure is thrown. Time
 * in which this process was stopped counts as a tenth at most: what came meanwhile is read before the wait is over.
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

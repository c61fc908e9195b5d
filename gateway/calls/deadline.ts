/**
 * Calls `expire` after `ms`, once all data received by then is read. After the event loop was held up, timers run before
 * sockets are read, so a plain timer would expire an answer that came in time.
 * @returns a function that cancels it
 */
export function startDeadline(ms: number, expire: () => void): () => void {
  let reading: NodeJS.Immediate | undefined;
  const timer = setTimeout(() => {
    reading = setImmediate(expire);
  }, ms);
  return () => {
    clearTimeout(timer);
    clearImmediate(reading);
  };
}

/**
 * Calls `expire` after `ms`, once all that has arrived by then is read. After the event loop was held up, timers run
 * before sockets are read: an answer that came in time would be called late.
 * @returns what cancels it
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

/**
 * Answers requests one at a time; a newer request cancels the one in progress. The older request's signal is aborted,
 * and its answer, if it still comes, is dropped. Ends when the requests have ended and the last is answered. `answer`
 * must obey its signal.
 */
export async function* switchLatest<Request, Response>(
  requests: AsyncIterable<Request>,
  answer: (request: Request, signal: AbortSignal) => Promise<Response>,
  signal: AbortSignal,
): AsyncGenerator<Response, void> {
  const arriving = requests[Symbol.asyncIterator]();
  try {
    let next = arriving.next();
    for (;;) {
      const { done, value } = await next;
      if (done) return;
      next = arriving.next();
      const outdated = new AbortController();
      // A rejection is handled where `next` is awaited, not here.
      next.then(
        (newer) => newer.done || outdated.abort(),
        () => undefined,
      );
      try {
        const response = await answer(value, AbortSignal.any([signal, outdated.signal]));
        if (!outdated.signal.aborted) yield response;
      } catch (error) {
        if (!outdated.signal.aborted) throw error;
      }
    }
  } finally {
    // Not awaited: `return` would wait for the next request.
    void arriving.return?.().catch(() => undefined);
  }
}

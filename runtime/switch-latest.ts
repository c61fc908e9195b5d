/**
 * Answers requests one after another, of which only the newest is still wanted: one that comes while another is being
 * answered aborts that one's signal, and its answer, if there is one all the same, is not given. Ends when the requests
 * end and the last of them is answered. `answer` must obey its signal.
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
      // What it rejects with is met when it is awaited; until then it is nobody's.
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
    // Not awaited: it would wait for the next request.
    void arriving.return?.().catch(() => undefined);
  }
}

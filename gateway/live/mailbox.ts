/** Holds one item at most: `put` replaces an item that was not taken. */
export class Mailbox<Item> {
  #newest: { readonly item: Item } | undefined;
  #wake: () => void = () => undefined;

  put(item: Item): void {
    this.#newest = { item };
    this.#wake();
  }

  /** Waits for an item; undefined when the signal aborts first. Only one `take` may wait at a time. */
  async take(signal: AbortSignal): Promise<Item | undefined> {
    while (this.#newest === undefined && !signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const wake = (): void => resolve();
      this.#wake = wake;
      signal.addEventListener('abort', wake);
      await promise;
      signal.removeEventListener('abort', wake);
    }
    if (signal.aborted) return undefined;
    const taken = this.#newest?.item;
    this.#newest = undefined;
    return taken;
  }
}

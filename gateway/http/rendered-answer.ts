/** A rendered answer, ready to send. */
export interface RenderedAnswer {
  readonly status: number;
  /** Lower-case names: content-type, etag, link. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

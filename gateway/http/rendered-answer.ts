/** A rendered answer, as it will be sent. */
export interface RenderedAnswer {
  readonly status: number;
  /** Lower-case names: content-type, etag, link. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

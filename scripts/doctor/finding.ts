/** One thing that was looked at. */
export interface Finding {
  /** `note` is worth knowing and no failure: what is not running, or is not set. */
  readonly kind: 'fine' | 'note' | 'wrong';
  readonly what: string;
  /** What to do about it. */
  readonly todo?: string;
}

export const fine = (what: string): Finding => ({ kind: 'fine', what });
export const note = (what: string, todo?: string): Finding => ({
  kind: 'note',
  what,
  ...(todo === undefined ? {} : { todo }),
});
export const wrong = (what: string, todo: string): Finding => ({ kind: 'wrong', what, todo });

/** The text of an error, also of one that a name with several addresses gives. */
export function told(thrown: unknown): string {
  if (thrown instanceof AggregateError) return thrown.errors.map(told).join('; ');
  return thrown instanceof Error ? thrown.message : String(thrown);
}

export const megabytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`;

/** The result of one check. */
export interface Finding {
  /** `note` is no failure: something that does not run or is not set. */
  readonly kind: 'fine' | 'note' | 'wrong';
  readonly what: string;
  /** How to fix it. */
  readonly todo?: string;
}

export const fine = (what: string): Finding => ({ kind: 'fine', what });
export const note = (what: string, todo?: string): Finding => ({
  kind: 'note',
  what,
  ...(todo === undefined ? {} : { todo }),
});
export const wrong = (what: string, todo: string): Finding => ({ kind: 'wrong', what, todo });

/** Returns the text of an error. A name with several addresses fails with an AggregateError. */
export function messageOf(thrown: unknown): string {
  if (thrown instanceof AggregateError) return thrown.errors.map(messageOf).join('; ');
  return thrown instanceof Error ? thrown.message : String(thrown);
}

export const megabytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`;
